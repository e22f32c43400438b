// Package drive drives a recorded run to its end, in this process or by means of a command,
// which may run the jobs behind the configured launcher.
package drive

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"quire/lib/config"
	"quire/lib/diag"
	"quire/lib/notify"
	"quire/lib/process"
	"quire/lib/runlog"
	"quire/lib/runstore"
	"quire/lib/text"
)

// A drive drives one run from pending to its end. The two executors differ only in its
// fields.
type drive struct {
	store    *runstore.Store
	run      *runstore.Run
	executor string // recorded with the run; "": the recorded one stays

	adjust       func(*config.Settings) // applies options of the command line; nil: none
	prepare      func(*Plan) error      // called before the run is active; nil: none
	withoutFacts bool                   // the work does not need the facts of the push

	// work runs while the run is active. Its processes start in the control group, if one
	// could be created.
	work func(context.Context, *Plan, *process.Cgroup) (runstore.Change, error)
}

// do drives the run and returns its final status, which another process may have set. The
// error is quire's own. If the status is zero, the run did not become active: it is still
// pending, or another process ended it.
//
// do holds the run's lock while the run waits for its turn and until its processes and its
// workspace are gone.
func (d *drive) do(ctx context.Context) (runstore.Status, error) {
	driver, err := d.run.Drive()
	if err != nil {
		return runstore.Status{}, err
	}
	defer driver.Unlock()
	cfg, err := config.Load(ctx, d.store.Root()) // only for max-runs
	if err != nil {
		return runstore.Status{}, err
	}
	watched, stop := driver.Context(ctx) // ends also when another process ends the run
	defer stop()
	var plan *Plan
	var cache *os.File
	defer func() { releaseCache(cache) }()
	active := runstore.Change{State: runstore.Active, Executor: d.executor}
	err = driver.Begin(watched, Limits(cfg), active, func(ctx context.Context) (err error) {
		if plan, err = newPlan(ctx, d.store, d.run); err != nil {
			return err
		}
		if d.adjust != nil {
			d.adjust(&plan.Settings)
		}
		releaseCache(cache) // of an earlier turn
		cache = plan.useCache(d.store, d.run)
		if d.prepare != nil {
			return d.prepare(plan)
		}
		return nil
	})
	if err != nil {
		return runstore.Status{}, err
	}
	if err := notify.Started(d.store, d.run); err != nil {
		_ = logProblem(d.run, err) // the run continues
	}
	group, _ := driver.NewCgroup() // without a group, reconcile records which processes it cannot find
	change, problem := d.active(watched, plan, group)
	group.Close()
	_, left := driver.EndCgroup()
	return d.end(plan, change, errors.Join(problem, left))
}

// active does the work of the run, which is active, and returns how it ends.
func (d *drive) active(ctx context.Context, plan *Plan, group *process.Cgroup) (runstore.Change, error) {
	if err := process.CheckProc(); err != nil {
		c := failed(ctx, "internal")
		c.Note = err.Error()
		return c, errors.Join(err, logProblem(d.run, err))
	}
	if plan.Unread != "" && !d.withoutFacts {
		err := &FactsError{plan.Unread}
		return failed(ctx, "materialize"), errors.Join(err, logProblem(d.run, err))
	}
	if plan.NoCache != "" {
		err := errors.New(plan.NoCache)
		return failed(ctx, "internal"), errors.Join(err, logProblem(d.run, err))
	}
	_ = plan.addFacts(d.run) // only show needs them
	return d.work(ctx, plan, group)
}

// A FactsError says that a run failed because the facts of its push cannot be read.
type FactsError struct{ What string }

func (e *FactsError) Error() string { return e.What }

// end ends the run with c, unless it has ended already, and then removes the workspace,
// unless the settings keep it. Removing a million files takes a while, which is no part of
// the run. If this process is killed during the removal, Reconcile repeats it.
func (d *drive) end(plan *Plan, c runstore.Change, problem error) (runstore.Status, error) {
	if problem != nil && c.State == runstore.Failed && c.Note == "" {
		c.Note = note(problem)
	}
	err := d.run.Transition(c)
	if errors.As(err, new(*runstore.StateError)) {
		err = nil
	}
	problem = errors.Join(problem, err)
	status, err := d.run.Status()
	if err != nil || !status.State.Final() {
		return runstore.Status{}, errors.Join(problem, err)
	}
	if plan.Settings.KeepsWorkspace(status.State == runstore.Failed) {
		problem = errors.Join(problem, d.run.RemoveScratch())
	} else {
		problem = errors.Join(problem, d.run.RemoveWorkspace())
	}
	return status, problem
}

// endEarly sets the final state of a run before this driver ends the processes of the run.
// The programs of on-end.d still wait until the driver unlocks. If it fails, the driver
// tries again at the end.
func endEarly(run *runstore.Run, c runstore.Change) {
	c.From = runstore.Active
	_ = run.Transition(c)
}

// failed returns the end of a run that failed for reason before its jobs started. If ctx has
// ended, the reason is "cancelled" instead.
func failed(ctx context.Context, reason string) runstore.Change {
	if ctx.Err() != nil {
		reason = "cancelled"
	}
	return runstore.Change{State: runstore.Failed, Reason: reason}
}

// logProblem appends a problem to the run's log.
func logProblem(run *runstore.Run, problem error) error {
	if err := runlog.AppendRunLog(filepath.Join(run.Dir, runstore.LogFile), "%s", problemText(problem)); err != nil {
		return fmt.Errorf("cannot write log of run %s: %w", run.ID, err)
	}
	return nil
}

// note returns the text of a problem for the history, on one line.
func note(problem error) string {
	if list := (diag.List)(nil); errors.As(problem, &list) {
		return list.Summary()
	}
	return text.Line(strings.ReplaceAll(problem.Error(), "\n", "; "))
}

// problemText returns the text of a problem for the log, without a newline at its end.
func problemText(problem error) string {
	if list := (diag.List)(nil); errors.As(problem, &list) {
		return strings.TrimSuffix(list.Text(), "\n")
	}
	return problem.Error()
}
