package main

import (
	"context"
	"errors"

	"quire/lib/cli"
	"quire/lib/config"
	host "quire/lib/drive"
	"quire/lib/runstore"
)

// drive brings the run --run to its end in this process.
func drive(ctx context.Context, e *cli.Env, o options) error {
	root := config.Root(o.root, e.Getenv, nil)
	store, err := runstore.Open(root)
	if err != nil {
		return err
	}
	run, err := store.Find(o.run)
	var ambiguous *runstore.AmbiguousError
	if errors.Is(err, runstore.ErrNotFound) || errors.As(err, &ambiguous) {
		return cli.Status(cli.No, err)
	} else if err != nil {
		return err
	}
	state, err := host.Host(ctx, root, run, e.Stdout)
	if state == runstore.Complete && err == nil {
		return nil
	}
	if state == "" {
		return err
	}
	return cli.Status(cli.No, err)
}
