package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"

	"quire/lib/cli"
	"quire/lib/config"
	"quire/lib/drive"
	"quire/lib/git"
	"quire/lib/notify"
	"quire/lib/process"
	"quire/lib/runstore"
)

const launchUsage = `usage: quire-ci launch [--root DIR] ID
Runs the pipeline of a recorded run, behind the configured launcher.
` + rootUsage

// launch becomes `quire-ci run` of the run, or runs it behind the configured launcher.
func launch(ctx context.Context, e *cli.Env) error {
	fs := new(flag.FlagSet)
	root := fs.String("root", "", "")
	if err := e.Parse(fs, launchUsage); err != nil {
		return err
	}
	if err := e.Operands(1, 1, "ID"); err != nil {
		return err
	}
	store, err := runstore.Open(config.Root(*root, e.Getenv, git.ConfigHere), notify.Ended)
	if err != nil {
		return err
	}
	run, err := store.Find(e.Args[0])
	if errors.Is(err, runstore.ErrNotFound) {
		return cli.Status(cli.No, err)
	} else if err != nil {
		return err
	}
	plan, warning, err := drive.PlanOf(ctx, store, run, e.Getenv)
	if err != nil {
		return err
	}
	if warning != "" {
		e.Warn("%s", warning)
	}
	l, err := drive.NewLaunch(ctx, run, plan)
	if err != nil {
		return withStatus(err)
	}
	defer l.Close()
	for _, w := range l.Warnings {
		e.Warn("%s", w)
	}
	if l.Launched {
		code, err := l.Run(ignoreTermSignals(), os.Stdout, os.Stderr)
		if err == nil && code != cli.OK {
			err = cli.Status(code, nil)
		}
		return err
	}
	program, err := exec.LookPath(l.Args[0])
	if err != nil {
		return fmt.Errorf("cannot start '%s': %w", l.Args[0], errors.Unwrap(err))
	}
	if err := process.Exec(program, l.Args, l.Env); err != nil {
		return fmt.Errorf("cannot start '%s': %w", l.Args[0], err)
	}
	return nil
}
