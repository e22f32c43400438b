package main

import (
	"context"
	"errors"
	"fmt"

	"quire/lib/cli"
	"quire/lib/drive"
	"quire/lib/runstore"
)

const reconcileUsage = `usage: quire-runstate reconcile
Fails active runs whose driver is gone, as orphaned, and prints the run lines of
pending runs that nobody drives, to be piped into quire-dispatch. The programs of
on-end.d that were not run for an end are.
`

func (r *rootOption) reconcile(ctx context.Context, e *cli.Env) error {
	if err := e.Parse(r.flags(), reconcileUsage); err != nil {
		return err
	}
	if err := e.Operands(0, 0, ""); err != nil {
		return err
	}
	s, err := r.open(e)
	if err != nil {
		return err
	}
	set, configErr := loadSettings(ctx, s)
	report, err := s.Reconcile(set.grace(""))
	if err != nil {
		return err
	}
	failures := append(report.Failures, configErr)
	for _, run := range report.Orphaned {
		e.Warn("run %s is orphaned: its driver is gone", run.ID)
		if !set.config.For(run.Repo).Keeps(true) {
			failures = append(failures, run.RemoveWorkspace())
		}
	}
	due, err := s.Due(report.Pending, drive.Limits(set.config))
	if err != nil {
		return err
	}
	for _, run := range due {
		executor := run.Executor
		if executor == "" {
			// The configuration could not be read when the run was made.
			if configErr != nil {
				continue
			}
			executor = set.executor(run.Repo)
		}
		if _, err := fmt.Fprintln(e.Stdout, runstore.RunLine(run, executor)); err != nil {
			return err
		}
	}
	return errors.Join(failures...)
}
