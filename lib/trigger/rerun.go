package trigger

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"quire/lib/git"
	"quire/lib/runlog"
	"quire/lib/runstore"
)

// ErrNotEnded says that a run cannot be repeated yet.
var ErrNotEnded = errors.New("it has not ended")

// A NoJobError says that a run had no such job.
type NoJobError struct{ Run, Job string }

func (e *NoJobError) Error() string {
	return fmt.Sprintf("cannot rerun job '%s': run %s has no record of such a job", e.Job, e.Run)
}

// Rerun makes a new run of the commit of a run that has ended, with the facts of
// the same push, linked to it. With onlyFailed, the jobs that succeeded are not run
// again; the others get their outputs. With a job, the same holds for all jobs except that
// one and those that need it, and jobs that failed and that it does not need do not run. It
// ends no other run: a rerun is of an older commit than some of them.
func Rerun(ctx context.Context, store *runstore.Store, first *runstore.Run, onlyFailed bool, job string) ([]Run, error) {
	status, err := first.Status()
	if err == nil && !status.State.Final() {
		err = ErrNotEnded
	}
	if err != nil {
		return nil, fmt.Errorf("cannot rerun %s: %w", first.ID, err)
	}
	if job != "" {
		jobs, _ := runlog.Summarize(first.Dir)
		if !slices.ContainsFunc(jobs, func(j runlog.JobRecord) bool { return j.ID == job }) {
			return nil, &NoJobError{first.ID, job}
		}
	}
	repo, err := git.Open(first.GitDir)
	if err != nil {
		return nil, err
	}
	objects, err := repo.Objects(ctx)
	if err != nil {
		return nil, err
	}
	defer objects.Close()
	wanted, err := find(objects, []Update{{Old: first.PreviousSHA, New: first.SHA, Ref: first.Ref}})
	if err != nil {
		return nil, err
	}
	if len(wanted) == 0 {
		return nil, fmt.Errorf("cannot rerun %s: commit %s has no pipeline", first.ID, first.SHA)
	}
	facts := first.Facts
	facts.ID, facts.RerunOf, facts.OnlyFailed, facts.OnlyJob, facts.Skipped = "", first.ID, onlyFailed, job, false
	t := &Trigger{Root: store.Root, Repo: repo}
	runs, _, err := t.make(ctx, store, objects, first.Repo, wanted, []runstore.Facts{facts})
	hold(store, runs)
	for _, r := range runs {
		// What the branches are by now is not a fact of the push.
		files, failure := first.RecordedFiles()
		err = errors.Join(err, failure, r.RecordFiles(files))
	}
	return runs, err
}
