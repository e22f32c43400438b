// Package drive brings a recorded run to its end: in this process, or with a command,
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
)

// A drive is one run on its way from pending to its end. The two executors differ only
// in its fields.
type drive struct {
	store    *runstore.Store
	run      *runstore.Run
	executor string // recorded with the run; "": the record keeps its own

	adjust   func(*config.Settings) // by options of the command line; nil: nothing
	prepare  func(*Plan) error      // before the run is active; nil: nothing
	optional bool                   // the work can be done without the facts of the push

	// The work while the run is active. Its processes start in the control group, if the
	// run could get one.
	work func(context.Context, *Plan, *process.Cgroup) (runstore.Change, error)
}

// do drives the run and returns the status that it has then, which another process may
// have decided. The error is quire's own. If the status is zero, the run was not begun:
// it is still pending, or was ended by another process.
//
// The run's lock is held from before it waits for its turn until nothing of it is left.
func (d *drive) do(ctx context.Context) (runstore.Status, error) {
	driver, err := d.run.Drive()
	if err != nil {
		return runstore.Status{}, err
	}
	defer driver.Unlock()
	cfg, err := config.Load(ctx, d.store.Root()) // for max-runs, and nothing else
	if err != nil {
		return runstore.Status{}, err
	}
	watched, stop := driver.Context(ctx) // ends also when another process ends the run
	defer stop()
	var plan *Plan
	var cache *os.File
	defer func() { leaveCache(cache) }()
	active := runstore.Change{State: runstore.Active, Executor: d.executor}
	err = driver.Begin(watched, Limits(cfg), active, func(ctx context.Context) (err error) {
		if plan, err = NewPlan(ctx, d.store, d.run); err != nil {
			return err
		}
		if d.adjust != nil {
			d.adjust(&plan.Settings)
		}
		leaveCache(cache) // of an earlier turn
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
		_ = explain(d.run, err) // it changes nothing for the run
	}
	group, _ := driver.NewCgroup() // without a group, reconcile notes which processes it cannot find
	change, problem := d.active(watched, plan, group)
	group.Close()
	_, left := driver.EndCgroup()
	return d.end(plan, change, errors.Join(problem, left))
}

// active does the work of a run that is active.
func (d *drive) active(ctx context.Context, plan *Plan, group *process.Cgroup) (runstore.Change, error) {
	if err := process.CheckProc(); err != nil {
		c := failed(ctx, "internal")
		c.Note = err.Error()
		return c, errors.Join(err, explain(d.run, err))
	}
	if plan.Unread != "" && !d.optional {
		err := &FactsError{plan.Unread}
		return failed(ctx, "materialize"), errors.Join(err, explain(d.run, err))
	}
	if plan.NoCache != "" {
		err := errors.New(plan.NoCache)
		return failed(ctx, "internal"), errors.Join(err, explain(d.run, err))
	}
	_ = plan.record(d.run) // only show needs it
	return d.work(ctx, plan, group)
}

// A FactsError says that a run failed because the facts of its push cannot be read.
type FactsError struct{ What string }

func (e *FactsError) Error() string { return e.What }

// end brings the run to the state of c, unless it has ended already, and then removes the
// workspace, unless the plan keeps it. To remove a million files takes a while, which is no
// part of the run. If this process is killed meanwhile, Reconcile finds the run.
func (d *drive) end(plan *Plan, c runstore.Change, problem error) (runstore.Status, error) {
	err := d.run.Transition(c)
	if errors.As(err, new(*runstore.StateError)) {
		err = nil
	}
	problem = errors.Join(problem, err)
	status, err := d.run.Status()
	if err != nil || !status.State.Final() {
		return runstore.Status{}, errors.Join(problem, err)
	}
	if plan.Settings.Keeps(status.State == runstore.Failed) {
		problem = errors.Join(problem, d.run.RemoveScratch())
	} else {
		problem = errors.Join(problem, d.run.RemoveWorkspace())
	}
	return status, problem
}

// recordEarly records the end of a run when it is decided, before the processes of the run
// are ended. This driver ends them, so no program of on-end.d runs until it unlocks. If the
// record fails, it is tried again at the end.
func recordEarly(run *runstore.Run, c runstore.Change) {
	c.From = runstore.Active
	_ = run.Transition(c)
}

// failed is the end of a run that did not come to its jobs for reason, unless it was
// being cancelled anyway.
func failed(ctx context.Context, reason string) runstore.Change {
	if ctx.Err() != nil {
		reason = "cancelled"
	}
	return runstore.Change{State: runstore.Failed, Reason: reason}
}

// explain writes a problem to the run's log, where a reader looks for it. The outcome of
// the jobs is in the log already.
func explain(run *runstore.Run, problem error) error {
	if err := runlog.AppendRunLog(filepath.Join(run.Dir, runstore.LogFile), "%s", problemText(problem)); err != nil {
		return fmt.Errorf("cannot write log of run %s: %w", run.ID, err)
	}
	return nil
}

// problemText returns what the log says of a problem, without the last newline.
func problemText(problem error) string {
	if list := (diag.List)(nil); errors.As(problem, &list) {
		return strings.TrimSuffix(list.Text(), "\n")
	}
	return problem.Error()
}
