package main

import (
	"context"

	"quire/lib/cli"
	"quire/lib/runstore"
)

const cancelUsage = `usage: quire-runstate cancel [--note TEXT] ID...
Ends runs that have not ended as failed, reason cancelled, and waits until none of
their processes is left.
`

func (r *rootOption) cancel(_ context.Context, e *cli.Env) error {
	fs := r.flags()
	note := fs.String("note", "", "")
	if err := e.Parse(fs, cancelUsage); err != nil {
		return err
	}
	if err := e.Operands(1, -1, "ID"); err != nil {
		return err
	}
	s, err := r.open(e)
	if err != nil {
		return err
	}
	return each(e, s, func(run *runstore.Run) error {
		err := run.Transition(runstore.Change{State: runstore.Failed, Reason: "cancelled", Note: *note})
		if err != nil {
			return err
		}
		// The driver sees the end of the run, ends its processes, and lets go.
		return run.AwaitDriver()
	})
}
