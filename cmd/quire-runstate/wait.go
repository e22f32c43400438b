package main

import (
	"context"

	"quire/lib/cli"
	"quire/lib/runstore"
)

const waitUsage = `usage: quire-runstate wait ID...
Waits until all of the runs have ended. Exits 0 if all are complete or skipped,
else 1.
` + rootUsage

func (r *rootOption) wait(ctx context.Context, e *cli.Env) error {
	s, err := r.begin(e, r.flags(), waitUsage, 1, -1, "ID")
	if err != nil {
		return err
	}
	code := cli.OK
	err = forEachRun(e, s, func(run *runstore.Run) error {
		noteDriver(e, run)
		status, err := run.AwaitEnd(ctx)
		if err == nil && status.State != runstore.Complete && !run.Skipped {
			code = cli.No
		}
		return err
	})
	if err != nil {
		return err
	}
	return status(code)
}

// noteDriver tells the caller that a run cannot end by itself because its driver is gone.
func noteDriver(e *cli.Env, run *runstore.Run) {
	active := func() bool {
		status, err := run.Status()
		return err == nil && status.State == runstore.Active
	}
	if !active() {
		return
	}
	// The run may have ended before the check for its driver.
	if driven, err := run.Driven(); err == nil && !driven && active() {
		e.Note("run %s is active, but its driver is gone: quire-runstate reconcile ends it", run.ID)
	}
}
