package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"quire/lib/cli"
	"quire/lib/executor"
	"quire/lib/process"
)

const shellUsage = `usage: quire-ci shell [OPTION...] [COMMAND...]

  --workspace DIR    where to run (.)
  --facts FILE       what is known of the push (made up from the working copy)
  --ref REF          the ref, in place of the fact
  --sha SHA          the commit, in place of the fact
  --job ID           the job whose environment it is (shell)
  --var NAME=VALUE   a further variable; may be repeated
  --env NAME         keep this variable; may be repeated
`

// shell becomes a command, or a shell, with exactly the environment of a job. It
// is no child, so that signals and job control are the terminal's affair.
func shell(ctx context.Context, e *cli.Env) error {
	var s settings
	fs := new(flag.FlagSet)
	s.register(fs)
	if err := e.Parse(fs, shellUsage); err != nil {
		return err
	}
	job := "shell"
	switch len(s.jobs) {
	case 0:
	case 1:
		job = s.jobs[0]
	default:
		return cli.Usagef("'--job' is given more than once")
	}
	o, err := s.options(ctx)
	if err != nil {
		return err
	}
	argv := e.Args
	if len(argv) == 0 {
		argv = []string{cmp.Or(e.Getenv("SHELL"), "/bin/sh")}
	}
	if err := os.Chdir(o.Workspace); err != nil {
		return fmt.Errorf("cannot enter workspace: %w", err)
	}
	path, err := exec.LookPath(argv[0])
	if err == nil {
		err = syscall.Exec(path, argv, executor.JobEnv(o.Env, o.Facts, o.Workspace, job, o.Vars))
	}
	return cli.Status(process.StartCode(err), fmt.Errorf("cannot run '%s': %w", argv[0], err))
}
