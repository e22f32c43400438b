// Package drive brings a recorded run to its end: in this process, or in one
// behind the configured launcher.
package drive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"quire/lib/config"
	"quire/lib/executor"
	"quire/lib/git"
	"quire/lib/push"
	"quire/lib/runlog"
	"quire/lib/runstore"
)

// A plan is what driving a run needs of the configuration, as it is now.
type plan struct {
	run      *runstore.Run
	settings config.Settings
	limits   runstore.Limits
	secrets  map[string]string // that this run may have; no other is read
	withheld map[string]string // see executor.Options
	warnings []string          // of secrets that are not safe
}

func newPlan(ctx context.Context, root string, run *runstore.Run) (*plan, error) {
	cfg, err := config.Load(ctx, root)
	if err != nil {
		return nil, err
	}
	p := &plan{run: run, settings: cfg.For(run.Repo), limits: Limits(cfg)}
	s := p.settings.ReadSecrets(run.Ref)
	p.secrets, p.withheld, p.warnings = s.Values, s.Withheld, s.Warnings
	return p, nil
}

// Limits returns how many runs may be active at once.
func Limits(cfg *config.Config) runstore.Limits {
	return runstore.Limits{
		Root: cfg.For("").MaxRuns,
		Repo: func(name string) int { return cfg.For(name).MaxRuns },
	}
}

// spec returns what whoever runs the jobs has to know of the run.
func (p *plan) spec(ctx context.Context, store *runstore.Store, repo *git.Repo) (executor.Spec, error) {
	limits := p.settings.Limits()
	s := executor.Spec{
		Env: p.settings.Env, Grace: executor.Duration(p.settings.Grace),
		EvalTime: executor.Duration(limits.Time), EvalMemory: limits.Memory,
		Withheld: p.withheld,
	}
	var err error
	if s.Facts, err = Facts(ctx, p.run, repo); err == nil {
		s.Done, err = done(store, p.run)
	}
	if err != nil {
		return executor.Spec{}, fmt.Errorf("cannot tell the facts of run %s: %w", p.run.ID, err)
	}
	return s, nil
}

// Facts returns the facts of the push that a run is for: those on record, and what the
// repository knows of the commit. On error some of them are missing.
func Facts(ctx context.Context, run *runstore.Run, repo *git.Repo) (push.Facts, error) {
	facts := run.Facts.Facts
	read := make(chan error, 1) // beside the other question: the first job waits for both
	go func() {
		var err error
		facts.CommitMessage, err = repo.Message(ctx, run.SHA)
		read <- err
	}()
	files, err := repo.ChangedFiles(ctx, run.PreviousSHA, run.SHA)
	err = errors.Join(<-read, err)
	facts.FilesChanged = files
	return facts, err
}

// maxDone bounds the outputs of the jobs that are not run again, in bytes.
const maxDone = 256 << 20

// done returns the outputs of the jobs that succeeded in the run that this one
// repeats the failed part of. Those it had from a run before that are among them. What
// cannot be read there is of jobs that are run again.
func done(store *runstore.Store, run *runstore.Run) (map[string]json.RawMessage, error) {
	if !run.OnlyFailed {
		return nil, nil
	}
	first, err := store.Find(run.RerunOf)
	if err != nil {
		return nil, err
	}
	jobs, _ := runlog.Summarize(first.Dir)
	outputs := map[string]json.RawMessage{}
	left := maxDone
	for _, j := range jobs {
		if j.State != runlog.Complete {
			continue
		}
		if output, err := j.ReadOutput(first.Dir, left); err == nil {
			outputs[j.ID] = output
			left -= len(output)
		}
	}
	return outputs, nil
}
