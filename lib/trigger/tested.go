package trigger

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"quire/lib/config"
	"quire/lib/pipeline"
	"quire/lib/push"
	"quire/lib/runlog"
	"quire/lib/runstore"
)

// A TestedError says why a run is complete although none of its jobs ran: an earlier run
// of the repository tested the same commit or tree.
type TestedError struct {
	By   *runstore.Run // the earlier run
	Same string        // what both runs are of: "commit" or "tree"
}

func (e *TestedError) Error() string {
	return fmt.Sprintf("run %s of %s tested the same %s", e.By.ID, e.By.Ref, e.Same)
}

// findTested returns for each of facts, which are of one repository and not yet recorded, the
// newest earlier run whose result counts for it according to settings.SkipTested; nil if
// its jobs must run. Only a push and a gate can have the result of an earlier run, and only
// without variables. quire.toml(5) lists which earlier runs count. With an error, more runs
// than needed may be nil.
func findTested(store *runstore.Store, settings config.Settings, facts []runstore.Facts) ([]*TestedError, error) {
	found := make([]*TestedError, len(facts))
	open := map[string][]int{} // indices of facts without a result, by commit, or by tree
	byTree := settings.SkipTested == "tree"
	for i, f := range facts {
		pushed := f.Trigger == push.ByPush || f.Trigger == push.ByGate
		if pushed && f.RerunOf == "" && len(f.Vars) == 0 && !f.Skipped {
			key := f.SHA
			if byTree {
				key = f.Tree
			}
			open[key] = append(open[key], i)
		}
	}
	if delete(open, ""); settings.SkipTested == "none" || settings.SkipTested == "" || len(open) == 0 {
		return found, nil
	}
	var failures []error
	ended := []runstore.State{runstore.Complete, runstore.Failed, runstore.Superseded, runstore.Skipped}
	for rec, err := range store.List(runstore.Filter{Repo: facts[0].Repo, States: ended, Limit: maxEarlier}) {
		if err != nil {
			failures = append(failures, err)
			continue
		}
		if rec.State != runstore.Complete || rec.TestedBy != "" || !byTree && open[rec.SHA] == nil {
			continue
		}
		run, err := store.Run(rec.Repo, rec.ID)
		if err != nil {
			if !errors.Is(err, runstore.ErrNotFound) {
				failures = append(failures, err)
			}
			continue
		}
		key := run.SHA
		if byTree {
			key = run.Tree
		}
		if open[key] == nil || !ranEveryJob(run) {
			continue
		}
		open[key] = slices.DeleteFunc(open[key], func(i int) bool {
			if settings.HasMoreSecrets(facts[i].Ref, run.Ref) {
				return false
			}
			found[i] = &TestedError{run, "tree"}
			if run.SHA == facts[i].SHA {
				found[i].Same = "commit"
			}
			return true
		})
		if len(open[key]) == 0 {
			if delete(open, key); len(open) == 0 {
				break
			}
		}
	}
	return found, errors.Join(failures...)
}

// ranEveryJob reports whether each job of a complete run ran, with nothing in it that another
// run of the commit may lack. The job quire/mirror must push at each push, so a run with it
// never counts.
func ranEveryJob(run *runstore.Run) bool {
	if len(run.Vars) > 0 || run.RerunOf != "" {
		return false
	}
	jobs, err := runlog.Summarize(run.Dir)
	return err == nil && len(jobs) > 0 && !slices.ContainsFunc(jobs, func(j runlog.JobRecord) bool {
		ran := j.State == runlog.Complete || j.State == runlog.Failed && j.Allowed
		return !ran || j.ID == pipeline.MirrorID
	})
}

// completeTested ends each of runs that has the result of an earlier run, and returns these
// results by index. It leaves out a run that it could not end, and a run that another
// process began to drive.
func completeTested(store *runstore.Store, runs []*runstore.Run, earlier []*TestedError) ([]*TestedError, error) {
	done := slices.Clone(earlier)
	var changes []runstore.RunChange
	var at []int // the index of each change
	var failures []error
	for i, e := range earlier {
		if e == nil {
			continue
		}
		failures = append(failures, runlog.AppendRunLog(filepath.Join(runs[i].Dir, runstore.LogFile), "quire: %s", e))
		changes = append(changes, runstore.RunChange{Run: runs[i], Change: runstore.Change{
			State: runstore.Complete, By: e.By.ID, Note: e.Error(), From: runstore.Pending,
		}})
		at = append(at, i)
	}
	for n, err := range store.TransitionAll(changes) {
		if err == nil {
			continue
		}
		done[at[n]] = nil
		if !errors.As(err, new(*runstore.StateError)) {
			failures = append(failures, err)
		}
	}
	return done, errors.Join(failures...)
}
