package runstore

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"quire/lib/file"
)

// TestOnEnd checks that the store reports each end, and nothing else.
func TestOnEnd(t *testing.T) {
	done := Change{State: Complete}
	for name, test := range map[string]struct {
		do   func(t *testing.T, s *Store, runs []*Run)
		want int // calls of onEnd
	}{
		"one transition by hand": {func(t *testing.T, s *Store, runs []*Run) {
			ok(t, runs[0].Transition(done))
		}, 1},
		"a change that is no end": {func(t *testing.T, s *Store, runs []*Run) {
			ok(t, runs[0].Transition(Change{State: Active}))
		}, 0},
		"a refused change": {func(t *testing.T, s *Store, runs []*Run) {
			ok(t, runs[0].Transition(done))
			if err := runs[0].Transition(done); !errors.As(err, new(*StateError)) {
				t.Errorf("got %v", err)
			}
		}, 1},
		"a few at once": {func(t *testing.T, s *Store, runs []*Run) {
			ok(t, errors.Join(s.TransitionAll(allTo(runs[:3], done))...))
		}, 1},
		"many at once": {func(t *testing.T, s *Store, runs []*Run) {
			ok(t, errors.Join(s.TransitionAll(allTo(runs, done))...))
		}, 1},
		"skipped": {func(t *testing.T, s *Store, runs []*Run) {
			skipped := facts("a.git", "r")
			skipped.Skipped = true
			_, err := s.Create(skipped)
			ok(t, err)
		}, 0},
		"a driver that gives its turn back": {func(t *testing.T, s *Store, runs []*Run) {
			drive(t, runs[0]).Unlock()
		}, 0},
		"a driver's end": {func(t *testing.T, s *Store, runs []*Run) {
			d := drive(t, runs[0])
			ok(t, d.Begin(t.Context(), Limits{}, Change{State: Active}, nil))
			ok(t, runs[0].Transition(done))
			d.Unlock()
		}, 1},
		"an end from outside while a driver waits": {func(t *testing.T, s *Store, runs []*Run) {
			d := drive(t, runs[0])
			ok(t, runs[0].Transition(Change{State: Superseded, By: runs[1].ID}))
			d.Unlock()
		}, 1},
		"orphans": {func(t *testing.T, s *Store, runs []*Run) {
			ok(t, runs[0].Transition(Change{State: Active}))
			ok(t, runs[1].Transition(Change{State: Active}))
			report, err := s.Reconcile(time.Millisecond)
			ok(t, errors.Join(append(report.Failures, err)...))
			if len(report.Orphaned) != 2 {
				t.Errorf("%d orphans", len(report.Orphaned))
			}
		}, 1},
		"an end that a check finds": {func(t *testing.T, s *Store, runs []*Run) {
			first := Change{State: Pending, Time: time.Now()}
			last := Change{State: Complete, Time: time.Now()}
			ok(t, file.Write(filepath.Join(runs[0].Dir, historyFile), []byte(formatChange(first)+formatChange(last)), 0o600))
			_, err := s.Check(true)
			ok(t, err)
		}, 1},
		"a check without repair": {func(t *testing.T, s *Store, runs []*Run) {
			_, err := s.Check(false)
			ok(t, err)
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			s, err := Open(t.TempDir(), func(*Store) error { calls++; return nil })
			ok(t, err)
			var all []Facts
			for i := range syncAllFrom {
				all = append(all, facts("a.git", fmt.Sprintf("refs/heads/%d", i)))
			}
			runs, err := s.Create(all...)
			ok(t, err)
			test.do(t, s, runs)
			if calls != test.want {
				t.Errorf("%d calls, want %d", calls, test.want)
			}
		})
	}
}

// TestOnEndFails checks that a failure of onEnd does not affect the end, and that
// Reconcile and Check report it.
func TestOnEndFails(t *testing.T) {
	broken := errors.New("no program")
	s, err := Open(t.TempDir(), func(*Store) error { return broken })
	ok(t, err)
	runs, err := s.Create(facts("a.git", "r"))
	ok(t, err)
	ok(t, runs[0].Transition(Change{State: Complete}))
	report, err := s.Reconcile(0)
	ok(t, err)
	if err := errors.Join(report.Failures...); !errors.Is(err, broken) {
		t.Errorf("reconcile: got %v", err)
	}
	if _, err := s.Check(true); !errors.Is(err, broken) {
		t.Errorf("check: got %v", err)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func allTo(runs []*Run, c Change) []RunChange {
	all := make([]RunChange, len(runs))
	for i, r := range runs {
		all[i] = RunChange{r, c}
	}
	return all
}
