package drive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"quire/lib/diag"
	"quire/lib/executor"
	"quire/lib/file"
	"quire/lib/git"
	"quire/lib/pipeline"
	"quire/lib/runstore"
)

// Host drives run from pending to its end in this process, the executor "host":
// the run's lock is held, its workspace made, its jobs run. output gets what they
// print, each line marked with its job. Host returns the state that the run ended
// in; the error is of what kept quire from driving it, which leaves it pending, or
// from its work.
func Host(ctx context.Context, store *runstore.Store, run *runstore.Run, output io.Writer) (runstore.State, error) {
	p, err := newPlan(ctx, store.Root(), run)
	if err != nil {
		return "", err
	}
	for _, w := range p.warnings {
		fmt.Fprintf(output, "quire: warning: %s\n", w)
	}
	driver, err := run.Drive()
	if err != nil {
		return "", err
	}
	defer driver.Unlock()
	watched, stop := driver.Context(ctx) // ends, too, when somebody else ends the run
	defer stop()
	active := runstore.Change{State: runstore.Active, Executor: "host"}
	if err := driver.Begin(watched, p.limits, active); err != nil {
		return "", err
	}
	change, problem := p.execute(watched, store, output)
	if problem != nil {
		problem = errors.Join(problem, explain(run, problem))
	}
	if !p.settings.Keeps(change.State == runstore.Failed) {
		problem = errors.Join(problem, run.RemoveWorkspace())
	}
	err = run.Transition(change)
	if refused := (*runstore.StateError)(nil); errors.As(err, &refused) {
		return refused.From, problem // who ended it meanwhile has decided
	}
	return change.State, errors.Join(problem, err)
}

// execute returns how the run ended, and beside a failure that is not the jobs'
// own what it was.
func (p *plan) execute(ctx context.Context, store *runstore.Store, output io.Writer) (runstore.Change, error) {
	run := p.run
	repo, err := git.Open(run.GitDir)
	var dir string
	if err == nil {
		dir, err = makeWorkspace(ctx, store, run, repo, p.settings)
	}
	if err != nil {
		return failed(ctx, "materialize"), err
	}
	tree, err := file.OpenTree(dir)
	if err != nil {
		return failed(ctx, "internal"), err
	}
	defer tree.Close()
	jobs, err := pipeline.Load(ctx, tree, pipeline.Options{Limits: p.settings.Limits()})
	if list := (diag.List)(nil); errors.As(err, &list) {
		return failed(ctx, "invalid-pipeline"), list
	}
	if err != nil {
		return failed(ctx, "internal"), err
	}
	defer jobs.Close()
	spec, err := p.spec(ctx, store, repo)
	if err != nil {
		return failed(ctx, "internal"), err
	}
	o := spec.Options(os.Environ())
	o.Workspace, o.Out, o.Output = dir, run.Dir, output
	o.Secrets, o.Parallel, o.Timeout = p.secrets, p.settings.Jobs, p.settings.Timeout
	outcome, err := executor.Run(ctx, jobs, o)
	if err == nil {
		err = executor.Report(output, run.Dir, outcome, false)
	}
	return runstore.Change{State: runstore.State(outcome.State), Reason: outcome.Reason, Code: outcome.Code}, err
}

// failed is the end of a run that did not come to its jobs for reason, unless it
// was being cancelled anyway.
func failed(ctx context.Context, reason string) runstore.Change {
	if ctx.Err() != nil {
		reason = "cancelled"
	}
	return runstore.Change{State: runstore.Failed, Reason: reason}
}

// explain puts what is not an outcome of the jobs where the reader of the run's
// log looks.
func explain(run *runstore.Run, problem error) error {
	text := problem.Error() + "\n"
	if list := (diag.List)(nil); errors.As(problem, &list) {
		text = list.Text()
	}
	if err := os.WriteFile(filepath.Join(run.Dir, runstore.LogFile), []byte(text), 0o600); err != nil {
		return fmt.Errorf("cannot write log of run %s: %w", run.ID, err)
	}
	return nil
}
