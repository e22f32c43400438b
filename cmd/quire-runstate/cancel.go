package main

import (
	"context"
	"errors"
	"fmt"

	"quire/lib/cli"
	"quire/lib/runstore"
)

const cancelUsage = `usage: quire-runstate cancel [--note TEXT] ID...
Ends runs that have not ended as failed, reason cancelled, and waits until all
of their processes have ended.
  --note TEXT            a remark for people
` + rootUsage

func (r *rootOption) cancel(_ context.Context, e *cli.Env) error {
	fs := r.flags()
	note := fs.String("note", "", "")
	s, err := r.begin(e, fs, cancelUsage, 1, -1, "ID")
	if err != nil {
		return err
	}
	return forEachRun(e, s, func(run *runstore.Run) error {
		err := run.Transition(runstore.Change{State: runstore.Failed, Reason: "cancelled", Note: *note})
		if ended, ok := errors.AsType[*runstore.StateError](err); ok {
			return cli.Status(cli.No, fmt.Errorf("run %s has ended (%s)", ended.ID, ended.From))
		}
		if err != nil {
			return err
		}
		if driven, err := run.Driven(); err == nil && driven {
			e.Note("run %s is cancelled, waiting until its driver has ended its processes", run.ID)
		}
		// The driver sees the end of the run, ends its processes, and unlocks it.
		return run.AwaitDriver()
	})
}
