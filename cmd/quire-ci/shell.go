package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"quire/lib/cli"
	"quire/lib/config"
	"quire/lib/executor"
	"quire/lib/git"
	"quire/lib/process"
)

const shellUsage = `usage: quire-ci shell [OPTION...] [ID]
Starts a shell with the environment of a job, in a working copy or in the
workspace that the run ID left.
  -c COMMAND             run this instead of an interactive shell
` + workspaceUsage + rootUsage + factsUsage + `  --job JOB              the job whose environment it is; default shell
  --var NAME=VALUE       another variable; may be repeated
  --env NAME             pass this variable on; may be repeated
`

// shell becomes a shell with exactly the environment of a job, in a working copy or in
// the workspace that a run has left. It is no child process, so that the terminal
// controls signals and jobs.
func shell(ctx context.Context, e *cli.Env) error {
	var s settings
	fs := new(flag.FlagSet)
	s.register(fs)
	root := fs.String("root", "", "")
	command := fs.String("c", "", "")
	if err := e.Parse(fs, shellUsage); err != nil {
		return err
	}
	if err := e.Operands(0, 1, "ID"); err != nil {
		return err
	}
	if len(s.jobs) > 1 {
		return cli.Usagef("'--job' is given more than once")
	}
	open := s.open
	if len(e.Args) == 1 {
		if s.workspace != "." || s.facts != "" {
			return cli.Usagef("a run has its own workspace and facts")
		}
		open = func(ctx context.Context) (executor.Spec, error) {
			return s.openRun(ctx, config.Root(*root, e.Getenv, git.ConfigHere), e.Args[0])
		}
	}
	spec, err := open(ctx)
	if err != nil {
		return err
	}
	o, err := s.options(spec)
	if err != nil {
		return err
	}
	argv := []string{cmp.Or(e.Getenv("SHELL"), "/bin/sh")}
	if *command != "" {
		argv = append(o.CommandShell(), *command)
	}
	if err := os.Chdir(o.Workspace); err != nil {
		return fmt.Errorf("cannot enter '%s': %w", o.Workspace, errors.Unwrap(err))
	}
	path, err := exec.LookPath(argv[0])
	if err == nil {
		job := append(s.jobs, "shell")[0]
		err = syscall.Exec(path, argv, executor.JobEnv(o.Env, o.Facts, o.Workspace, job, o.Vars))
	}
	return cli.Status(process.StartCode(err), fmt.Errorf("cannot run '%s': %w", argv[0], err))
}
