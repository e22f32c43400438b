package main

import (
	"context"
	"errors"
	"flag"

	"quire/lib/cli"
	"quire/lib/config"
	"quire/lib/drive"
	"quire/lib/git"
	"quire/lib/notify"
	"quire/lib/runstore"
	"quire/lib/workspace"
)

// ofRun writes the workspace of a run, below its driver or by hand.
func ofRun(ctx context.Context, e *cli.Env, flags *flag.FlagSet, root, id string) error {
	other := ""
	flags.Visit(func(f *flag.Flag) {
		if f.Name != "run" && f.Name != "root" {
			other = f.Name
		}
	})
	if other != "" {
		return cli.Usagef("option '--%s' does not go with '--run'", other)
	}
	if err := e.Operands(0, 0, ""); err != nil {
		return err
	}
	store, err := runstore.Open(config.Root(root, e.Getenv, git.ConfigHere), notify.Ended)
	if err != nil {
		return err
	}
	run, err := store.Find(id)
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
	_, err = drive.MakeWorkspace(ctx, store, run, plan)
	if errors.Is(err, workspace.ErrUnknownCommit) {
		return cli.Status(cli.No, err)
	}
	return err
}
