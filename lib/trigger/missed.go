package trigger

import (
	"context"
	"errors"
	"time"

	"quire/lib/repos"
	"quire/lib/runstore"
)

// Missed makes the runs that pushes to the repository should have made but did not, because
// the hook was missing, was killed, or the disk was full. It makes each once, even if several
// processes call it or a push is running. For a repository that was never triggered, it only
// records the current refs.
//
// While a hook of the repository runs, Missed leaves moved refs to it. If git is receiving a
// push whose hook has not begun, Missed waits for the hook, at most hookStart.
func (t *Trigger) Missed(ctx context.Context) ([]Run, error) {
	const pause = 10 * time.Millisecond
	for deadline := time.Now().Add(hookStart); ; {
		runs, again, err := t.missed(ctx, time.Now().After(deadline))
		if !again {
			return runs, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// missed is Missed without waiting. If a hook may be about to begin, again is true and it
// makes no run, unless inAnyCase is set.
func (t *Trigger) missed(ctx context.Context, inAnyCase bool) (runs []Run, again bool, err error) {
	s, err := openSeen(ctx, t.Repo, nil)
	if err != nil {
		return nil, false, err
	}
	defer s.close()
	refs, err := t.Repo.Refs(ctx)
	if err != nil {
		return nil, false, err
	}
	missed := s.missed(refs)
	if len(missed) == 0 {
		return nil, false, nil
	}
	// The order matters: if a hook begins after hookRuns, either receives found its git, or
	// its push came after the refs were read.
	receiving := !inAnyCase && receives(t.Repo)
	if running, err := hookRuns(t.Repo); running || err != nil {
		return nil, false, err
	}
	if receiving {
		return nil, true, nil
	}
	undone, err := t.withoutRun(ctx, missed)
	if err != nil {
		return nil, false, err
	}
	now := time.Now()
	runs, err = t.Make(ctx, undone)
	if !errors.As(err, new(*notRecorded)) {
		err = errors.Join(err, s.add(missed, now))
	}
	return runs, false, err
}

// withoutRun returns the updates that have no run. A trigger that was killed may have made
// some runs.
func (t *Trigger) withoutRun(ctx context.Context, updates []Update) ([]Update, error) {
	objects, err := t.Repo.Objects(ctx)
	if err != nil {
		return nil, err
	}
	defer objects.Close()
	store, err := runstore.Open(t.Root(), t.OnEnd)
	if err != nil {
		return nil, err
	}
	name, _ := repos.Name(t.Repo, t.Root())
	var without []Update
	for _, u := range updates {
		latest, err := store.Find(name + "@" + u.Ref)
		if err != nil && !errors.Is(err, runstore.ErrNotFound) {
			return nil, err
		}
		if err == nil && !u.deleted() {
			commit, err := objects.Info(u.New + "^{commit}")
			// For a gate run, Make decides whether it is the run of this push.
			if err == nil && commit.OID == latest.SHA && !latest.Gate {
				continue
			}
		}
		without = append(without, u)
	}
	return without, nil
}
