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

// A GoneError says that a run cannot be repeated because the repository does not have its
// commit, for example because git refused the push.
type GoneError struct{ Run, Commit, Dir string }

func (e *GoneError) Error() string {
	return fmt.Sprintf("cannot rerun %s: commit %s is not in '%s'", e.Run, e.Commit, e.Dir)
}

// Rerun makes a new run of the commit of a run that has ended, with the facts of the same
// push and a link to the first run. With onlyFailed, jobs that succeeded do not run again and
// their outputs are reused. With a job, the same holds, but that job and the jobs that need
// it run again, and failed jobs that it does not need do not run. Rerun supersedes no other
// run, because the commit may be older than theirs.
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
	if errors.Is(err, git.ErrMissing) {
		return nil, &GoneError{first.ID, first.SHA, first.GitDir}
	}
	if err != nil {
		return nil, err
	}
	if len(wanted) == 0 {
		return nil, fmt.Errorf("cannot rerun %s: commit %s has no pipeline", first.ID, first.SHA)
	}
	facts := first.Facts
	facts.Gate = false // its trigger is still "gate", so that the same jobs are skipped
	facts.ID, facts.RerunOf, facts.OnlyFailed, facts.OnlyJob, facts.Skipped = "", first.ID, onlyFailed, job, false
	t := &Trigger{Root: store.Root, Repo: repo}
	runs, _, err := t.make(ctx, store, objects, first.Repo, wanted, []runstore.Facts{facts})
	startLater(store, runs)
	return runs, err
}

// copyFiles records the changed files of the run that r repeats, if it repeats one. They
// cannot be computed again: the branches may have moved since the push.
func copyFiles(store *runstore.Store, r *runstore.Run) error {
	if r.RerunOf == "" {
		return nil
	}
	first, err := store.Find(r.RerunOf)
	if err != nil {
		return err
	}
	files, err := first.SavedFiles()
	return errors.Join(err, r.SaveFiles(files))
}
