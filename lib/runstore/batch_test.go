package runstore

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Each of many changes is judged by itself. A change that is made is in the history and
// the journal, and its run is out of live/.
func TestTransitionAll(t *testing.T) {
	for _, n := range []int{1, syncAllFrom - 1, syncAllFrom, openHistories + 3} {
		s := open(t)
		all := make([]Facts, n)
		for i := range all {
			all[i] = facts("a", "r")
		}
		runs := create(t, s, all...)
		changes := make([]RunChange, n)
		for i, r := range runs {
			changes[n-1-i] = RunChange{r, changes3(i)}
			if i%5 == 4 {
				change(t, r, Change{State: Complete})
			}
		}
		for at, err := range s.TransitionAll(changes) {
			r, i := changes[at].Run, n-1-at
			status, statusErr := r.Status()
			if statusErr != nil {
				t.Fatal(statusErr)
			}
			want := changes3(i).State
			if i%5 == 4 {
				want = Complete
			}
			var refused *StateError
			if errors.As(err, &refused) != (i%5 == 4) || err != nil && refused == nil || status.State != want {
				t.Errorf("run %d of %d: %v, state %s, want %s", i, n, err, status.State, want)
			}
		}
		sound(t, s)
	}
}

// changes3 returns one of three changes.
func changes3(i int) Change {
	return []Change{{State: Active}, {State: Failed, Reason: "cancelled"}, {State: Complete}}[i%3]
}

// If a run is gone or its history cannot be read, no other run suffers.
func TestTransitionAllErrors(t *testing.T) {
	s := open(t)
	changes := make([]RunChange, syncAllFrom+2)
	for i := range changes {
		changes[i] = RunChange{create(t, s, facts("a", "r"))[0], Change{State: Complete}}
	}
	gone, bad, torn := changes[1].Run, changes[syncAllFrom].Run, changes[syncAllFrom+1].Run
	changes[0].Change.State = "none"
	appendTo := func(r *Run, text string) error {
		f, err := os.OpenFile(filepath.Join(r.Dir, historyFile), os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteString(text)
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(os.RemoveAll(gone.Dir), appendTo(bad, "junk\n"), appendTo(torn, "2026-")); err != nil {
		t.Fatal(err)
	}
	for i, err := range s.TransitionAll(changes) {
		switch r := changes[i].Run; {
		case i == 0 || r == bad:
			if err == nil {
				t.Errorf("no error for change %d", i)
			}
		case r == gone:
			if !errors.Is(err, ErrNotFound) {
				t.Errorf("of a run that is gone: %v", err)
			}
		case err != nil:
			t.Error(err)
		default:
			if status, err := r.Status(); err != nil || status.State != Complete {
				t.Errorf("state %s: %v", status.State, err)
			}
		}
	}
}

// If several callers change the same runs, in any order, each run has one winner.
func TestTransitionAllRaces(t *testing.T) {
	s := open(t)
	all := make([]Facts, 3*syncAllFrom)
	for i := range all {
		all[i] = facts("a", "r")
	}
	runs := create(t, s, all...)
	var mu sync.Mutex
	won := map[string]int{}
	var racers sync.WaitGroup
	for racer := range 4 {
		racers.Go(func() {
			changes := make([]RunChange, len(runs))
			for i := range runs {
				at := i
				if racer%2 == 1 {
					at = len(runs) - 1 - i
				}
				changes[at] = RunChange{runs[i], Change{State: Complete}}
			}
			for i, err := range s.TransitionAll(changes) {
				var refused *StateError
				if err != nil && !errors.As(err, &refused) {
					t.Error(err)
				}
				if err == nil {
					mu.Lock()
					won[changes[i].Run.ID]++
					mu.Unlock()
				}
			}
		})
	}
	racers.Wait()
	for _, r := range runs {
		if won[r.ID] != 1 {
			t.Errorf("run %s was changed by %d", r.ID, won[r.ID])
		}
	}
	sound(t, s)
}
