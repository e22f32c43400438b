package main

import (
	"context"
	"errors"

	"quire/lib/cli"
	"quire/lib/config"
	host "quire/lib/drive"
	"quire/lib/git"
	"quire/lib/notify"
	"quire/lib/runstore"
	"quire/lib/trigger"
)

// drive brings the run --run to its end in this process.
func drive(ctx context.Context, e *cli.Env, o options) error {
	store, run, err := o.find(e, o.run)
	if err != nil {
		return err
	}
	end, err := host.Host(e.CatchSignals(ctx), store, run, e.Stdout)
	if end.State == "" {
		return err
	}
	if end.State == runstore.Complete && err == nil {
		return nil
	}
	return cli.Status(cli.No, err)
}

// rerun creates a new run of the commit of the run --rerun.
func rerun(ctx context.Context, e *cli.Env, o options) error {
	store, run, err := o.find(e, o.rerun)
	if err != nil {
		return err
	}
	runs, err := trigger.Rerun(e.CatchSignals(ctx), store, run, o.failed, o.job)
	if errors.Is(err, trigger.ErrNotEnded) || errors.As(err, new(*trigger.NoJobError)) || errors.As(err, new(*trigger.GoneError)) {
		return cli.Status(cli.No, err)
	}
	return cli.Status(max(showByHand(e, runs), e.Report(err)), nil)
}

// find returns the run of that name in the root. If there is none, or several, the exit
// code is No.
func (o options) find(e *cli.Env, name string) (*runstore.Store, *runstore.Run, error) {
	store, err := runstore.Open(config.Root(o.root, e.Getenv, git.ConfigHere), notify.Ended)
	if err != nil {
		return nil, nil, err
	}
	run, err := store.Find(name)
	if errors.Is(err, runstore.ErrNotFound) {
		err = cli.Status(cli.No, err)
	}
	return store, run, err
}
