package runstore

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// While the root is paused, no run becomes active, whether its driver arrives, waits for
// its turn, or has its turn already.
func TestPause(t *testing.T) {
	s := open(t)
	one := Limits{Root: 1}
	runs := create(t, s, facts("a.git", "r"), facts("a.git", "r"), facts("a.git", "r"))
	first, second := drive(t, runs[0]), drive(t, runs[1])
	defer first.Unlock()
	defer second.Unlock()
	ok(t, first.Begin(t.Context(), one, Change{State: Active}, nil))
	ctx, stop := second.Context(t.Context())
	defer stop()
	waited := make(chan error)
	go func() { waited <- second.Begin(ctx, one, Change{State: Active}, nil) }()
	for all, err := s.queue(); len(all.waiting) == 0; all, err = s.queue() {
		ok(t, err)
		time.Sleep(time.Millisecond)
	}
	ok(t, s.Paused())
	ok(t, s.Pause("replaced"))
	ok(t, s.Pause("an upgrade"))
	paused := (*PausedError)(nil)
	if err := <-waited; !errors.As(err, &paused) || paused.Note != "an upgrade" && paused.Note != "replaced" {
		t.Errorf("a driver that waited: %v", err)
	}
	if err := s.Paused(); !errors.As(err, &paused) || paused.Note != "an upgrade" || time.Since(paused.Since) > time.Minute {
		t.Errorf("paused: %v", err)
	}
	third := drive(t, runs[2])
	defer third.Unlock()
	if err := third.Begin(t.Context(), Limits{}, Change{State: Active}, nil); !errors.As(err, &paused) {
		t.Errorf("a driver that comes: %v", err)
	}
	if status, err := runs[0].Status(); err != nil || status.State != Active {
		t.Errorf("the active run: %+v, %v", status, err)
	}
	if n, err := s.Resume(); n != 2 || err != nil {
		t.Errorf("%d runs wait, %v", n, err)
	}
	if _, err := s.Resume(); !errors.Is(err, ErrNotPaused) {
		t.Errorf("resumed twice: %v", err)
	}
	// While the driver prepares, a pause is not too late.
	err := third.Begin(t.Context(), Limits{}, Change{State: Active}, func(context.Context) error { return s.Pause("") })
	if !errors.As(err, &paused) || paused.Note != "" {
		t.Errorf("a driver that prepares: %v", err)
	}
	if err := s.Pause(strings.Repeat("x", maxNote+1)); !errors.Is(err, ErrLongNote) {
		t.Error("a long note was taken")
	}
}
