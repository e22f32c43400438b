package runstore

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"
)

// began returns a run that a driver has made active.
func began(t *testing.T, s *Store) (*Run, *Driver) {
	t.Helper()
	r := create(t, s, facts("a.git", "r"))[0]
	d, err := r.Drive()
	if err == nil {
		err = d.Begin(context.Background(), Limits{}, Change{State: Active}, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r, d
}

// A run that another process ends is live until its driver unlocks, and listed once.
func TestEndedByOthers(t *testing.T) {
	s := open(t)
	r, d := began(t, s)
	change(t, r, changes[Complete])
	reconciled(t, s)
	if !exists(s.path("live", r.ID)) {
		t.Error("it is not live while it is driven")
	}
	if got := list(t, s, Filter{States: []State{Complete}}); len(got) != 1 {
		t.Errorf("listed %v", got)
	}
	if problems, err := s.Check(true); err != nil || len(problems) > 0 {
		t.Errorf("problems %v, %v", problems, err)
	}
	d.Unlock()
	if exists(s.path("live", r.ID)) {
		t.Error("it is live after it was driven")
	}
	if problems, err := s.Check(false); err != nil || len(problems) > 0 {
		t.Errorf("problems %v, %v", problems, err)
	}
}

// Processes left by a killed driver are ended even if another process has ended the run
// since, and others have tried to drive it. Until then the run is not prunable.
func TestEndedByOthersAfterKill(t *testing.T) {
	s := open(t)
	r, killed := began(t, s)
	left := exec.Command("sleep", "1000")
	left.Env = append(os.Environ(), r.Environ()...)
	if err := left.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- left.Wait() }()
	killed.file.Close() // as the kernel does
	change(t, r, changes[Complete])

	late, err := r.Drive()
	if err != nil {
		t.Fatal(err)
	}
	if err := late.Begin(context.Background(), Limits{}, Change{State: Active}, nil); err == nil {
		t.Error("a run that has ended was begun")
	}
	late.Unlock()
	if problems, err := s.Check(true); err != nil || len(problems) > 0 {
		t.Errorf("problems %v, %v", problems, err)
	}
	// A newer run of its ref; without it, the run would be kept in any case.
	change(t, create(t, s, facts("a.git", "r"))[0], changes[Complete])
	if records, err := s.Prunable(Prune{}); err != nil || len(records) > 0 {
		t.Errorf("for pruning: %v, %v", records, err)
	}
	reconciled(t, s)
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Error("its process goes on")
		left.Process.Kill()
	}
	if exists(s.path("live", r.ID)) {
		t.Error("it is still live")
	}
	if records, err := s.Prunable(Prune{}); err != nil || len(records) != 1 || records[0].ID != r.ID {
		t.Errorf("for pruning: %v, %v", records, err)
	}
}

func reconciled(t *testing.T, s *Store) {
	t.Helper()
	if report, err := s.Reconcile(0); err != nil || len(report.Failures) > 0 {
		t.Errorf("reconcile: %+v, %v", report, err)
	}
}

// A skipped run is not the newest failure of its ref, which stays.
func TestPruneSkipped(t *testing.T) {
	s := open(t)
	skipped := facts("a.git", "r")
	skipped.Skipped = true
	failed := create(t, s, facts("a.git", "r"))[0]
	ok(t, failed.Transition(Change{State: Failed, Reason: "exit", Code: 1}))
	skip := create(t, s, skipped)[0]
	for _, p := range []Prune{{}, {States: []State{Skipped}}} {
		records, err := s.Prunable(p)
		if err != nil || len(records) != 1 || records[0].ID != skip.ID {
			t.Errorf("prunable: %v, %v", records, err)
		}
	}
	if records, err := s.Prunable(Prune{States: []State{Failed}}); err != nil || len(records) > 0 {
		t.Errorf("failed: %v, %v", records, err)
	}
}
