package main

import (
	"context"
	"errors"
	"flag"

	"quire/lib/cli"
	"quire/lib/config"
	"quire/lib/drive"
	"quire/lib/notify"
	"quire/lib/runstore"
	"quire/lib/workspace"
)

// ofRun makes the workspace of a run, of which whoever drives it is the caller.
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
	store, err := runstore.Open(config.Root(root, e.Getenv, nil), notify.Start)
	if err != nil {
		return err
	}
	run, err := store.Find(id)
	if err == nil {
		err = drive.MakeWorkspace(ctx, store, run)
	}
	if errors.Is(err, runstore.ErrNotFound) || errors.Is(err, workspace.ErrUnknownCommit) {
		return cli.Status(cli.No, err)
	}
	return err
}
