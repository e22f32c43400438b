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
Fails active runs whose driver is gone, as orphaned. Prints the run lines of
pending runs that have no driver, for quire-dispatch to read, unless the root is
paused. Also runs on-end.d programs that were missed.
` + rootUsage

func (r *rootOption) reconcile(ctx context.Context, e *cli.Env) error {
	s, err := r.begin(e, r.flags(), reconcileUsage, 0, 0, "")
	if err != nil {
		return err
	}
	c, configErr := loadConfig(ctx, s)
	report, err := s.Reconcile(c.For("").Grace)
	if err != nil {
		return err
	}
	failures := append(report.Failures, configErr)
	for _, run := range report.Orphaned {
		e.Warn("run %s is orphaned: its driver is gone", run.ID)
	}
	for _, run := range append(report.Orphaned, report.Ended...) {
		status, err := run.Status()
		if err == nil && !c.For(run.Repo).KeepsWorkspace(status.State == runstore.Failed) {
			err = run.RemoveWorkspace()
		}
		failures = append(failures, err)
	}
	if s.Paused() != nil { // list and doctor report it: cron would mail it each minute
		return errors.Join(failures...)
	}
	due, err := s.Due(report.Pending, drive.Limits(c))
	if err != nil {
		return err
	}
	for _, run := range due {
		executor := run.Executor
		if executor == "" {
			// The configuration could not be read when the run was created.
			if configErr != nil {
				continue
			}
			executor = c.For(run.Repo).Executor
		}
		if _, err := fmt.Fprintln(e.Stdout, runstore.RunLine(run, executor)); err != nil {
			return err
		}
	}
	return errors.Join(failures...)
}
