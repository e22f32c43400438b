package drive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"quire/lib/config"
	"quire/lib/diag"
	"quire/lib/executor"
	"quire/lib/git"
	"quire/lib/pipeline"
	"quire/lib/runstore"
	"quire/lib/trigger"
	"quire/lib/workspace"
)

// Host drives run from pending to its end in this process, the executor "host":
// the run's lock is held, its workspace made, its jobs run. output gets what they
// print, each line marked with its job. Host returns the state that the run ended
// in; the error is of what kept quire from driving it, or from its work.
func Host(ctx context.Context, root string, run *runstore.Run, output io.Writer) (runstore.State, error) {
	settings, secrets, err := settingsOf(ctx, root, run)
	if err != nil {
		return "", err // the run stays pending: reconcile hands it out again
	}
	unlock, err := run.Drive()
	if err != nil {
		return "", err
	}
	defer unlock()
	if err := run.Transition(runstore.Change{State: runstore.Active, Executor: "host"}); err != nil {
		return "", err
	}
	dir := filepath.Join(run.Dir, WorkspaceName)
	change, problem := execute(ctx, run, dir, settings, secrets, output)
	if change.Reason != "materialize" && !settings.Keeps(change.State == runstore.Failed) {
		problem = errors.Join(problem, os.RemoveAll(dir))
	}
	if problem != nil {
		problem = errors.Join(problem, explain(run, problem))
	}
	return change.State, errors.Join(problem, run.Transition(change))
}

// execute returns how the run ended, and beside a failure that is not the jobs'
// own what it was.
func execute(ctx context.Context, run *runstore.Run, dir string, settings config.Settings, secrets map[string]string, output io.Writer) (runstore.Change, error) {
	repo, err := git.Open(run.GitDir)
	if err == nil {
		err = workspace.Materialize(ctx, repo, run.SHA, dir, workspace.Options{})
	}
	if err != nil {
		return failed(ctx, "materialize"), err
	}
	tree, err := os.OpenRoot(dir)
	if err != nil {
		return failed(ctx, "internal"), err
	}
	defer tree.Close()
	p, err := pipeline.Load(ctx, tree.FS(), pipeline.Options{})
	if list := (diag.List)(nil); errors.As(err, &list) {
		return failed(ctx, "invalid-pipeline"), list
	}
	if err != nil {
		return failed(ctx, "internal"), err
	}
	defer p.Close()
	facts, err := Facts(ctx, run, repo)
	if err != nil {
		return failed(ctx, "internal"), err
	}
	outcome, err := executor.Run(ctx, p, executor.Options{
		Workspace: dir,
		Out:       run.Dir,
		Facts:     facts,
		Secrets:   secrets,
		Env:       executor.BaseEnv(os.Environ(), settings.Env),
		Parallel:  settings.Jobs,
		Timeout:   settings.Timeout,
		Grace:     settings.Grace,
		Output:    output,
	})
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
	if err := os.WriteFile(filepath.Join(run.Dir, trigger.LogName), []byte(text), 0o600); err != nil {
		return fmt.Errorf("cannot write log of run %s: %w", run.ID, err)
	}
	return nil
}

// settingsOf reads the configuration for run, and its secrets.
func settingsOf(ctx context.Context, root string, run *runstore.Run) (config.Settings, map[string]string, error) {
	cfg, err := config.Load(ctx, root)
	if err != nil {
		return config.Settings{}, nil, err
	}
	settings := cfg.For(run.Repo)
	secrets, _, err := settings.ReadSecrets()
	return settings, secrets, err
}
