package main

import (
	"context"

	"quire/lib/cli"
	"quire/lib/runstore"
)

const waitUsage = `usage: quire-runstate wait ID...
Waits until all of the runs have ended. Exits 0 when all ended complete, else 1.
` + rootUsage

func (r *rootOption) wait(ctx context.Context, e *cli.Env) error {
	s, err := r.begin(e, r.flags(), waitUsage, 1, -1, "ID")
	if err != nil {
		return err
	}
	code := cli.OK
	err = forEachRun(e, s, func(run *runstore.Run) error {
		status, err := run.AwaitEnd(ctx)
		if err == nil && status.State != runstore.Complete {
			code = cli.No
		}
		return err
	})
	if err != nil {
		return err
	}
	return status(code)
}
