package trigger

import (
	"context"
	"errors"
	"time"

	"quire/lib/repos"
	"quire/lib/runstore"
)

// Missed makes the runs that pushes to the repository should have made and did not,
// because the hook was missing, was killed, or had no room: each once, however many call
// it, and beside pushes. A repository that was never triggered is noted as it is, and makes
// no run.
//
// While a hook of the repository runs, moved refs are left to it. If git is taking a push
// whose hook has not begun, Missed waits for the beginning, at most hookStart.
func (t *Trigger) Missed(ctx context.Context) ([]Run, error) {
	const pause = 10 * time.Millisecond
	for over := time.Now().Add(hookStart); ; {
		runs, again, err := t.missed(ctx, time.Now().After(over))
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

// missed is Missed without waiting. Unless it is to make the runs in any case, it asks to
// be called again if a hook may be about to begin.
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
	// In this order: a hook that begins after the second question began after refs were
	// read, or its git is found by the first.
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

// withoutRun returns the updates without those whose runs a trigger made before it was
// killed.
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
		if err == nil && !u.Deleted() {
			commit, _, _, err := objects.Info(u.New + "^{commit}")
			// Make tells whether a gate run is the run of this push.
			if err == nil && commit == latest.SHA && !latest.Gate {
				continue
			}
		}
		without = append(without, u)
	}
	return without, nil
}
