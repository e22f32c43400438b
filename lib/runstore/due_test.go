package runstore

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A run that would only wait behind others of its repository is not due. A run that could
// begin before them, or belongs to another repository, is.
func TestDue(t *testing.T) {
	s := open(t)
	named := map[string]*Run{}
	names := map[string]string{}
	for _, name := range []string{"a0 runs", "a1", "a2 waits", "a3", "b4", "a5 waits", "a6"} {
		named[name] = create(t, s, facts(name[:1], "refs/heads/main"))[0]
		names[named[name].ID] = name
	}
	driver := drive(t, named["a0 runs"])
	if err := driver.Begin(t.Context(), Limits{Root: 1}, Change{State: Active}, nil); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	for i, name := range []string{"a2 waits", "a5 waits"} {
		d := drive(t, named[name])
		go func() { ended <- d.Begin(ctx, Limits{Root: 1}, Change{State: Active}, nil) }()
		awaitQueued(t, s, 1+i+1)
	}
	for _, tt := range []struct {
		name   string
		limits Limits
		want   []string
	}{
		{"one at once", Limits{Root: 1}, []string{"a1", "b4"}},
		{"one at once of a repository", perRepo(1), []string{"a1", "b4"}},
		{"two at once", Limits{Root: 2}, []string{"a1", "a3", "b4"}},
		{"the smaller limit counts", Limits{Root: 3, Repo: perRepo(2).Repo}, []string{"a1", "a3", "b4"}},
		{"more than wait", Limits{Root: 3}, []string{"a1", "a3", "b4", "a6"}},
		{"any number", Limits{}, []string{"a1", "a3", "b4", "a6"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			report, err := s.Reconcile(0)
			if err != nil {
				t.Fatal(err)
			}
			due, err := s.Due(report.Pending, tt.limits)
			var got []string
			for _, r := range due {
				got = append(got, names[r.ID])
			}
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
		})
	}
	stop()
	for range 2 {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if report, err := s.Reconcile(0); err != nil || len(report.Pending) != 4 {
		t.Errorf("%d pending are not driven, %v", len(report.Pending), err) // two of them had drivers until stop
	}
	due, err := s.Due([]*Run{named["a6"]}, Limits{Root: 1})
	if err != nil || len(due) != 1 {
		t.Errorf("behind nobody who waits %d are due, %v", len(due), err)
	}
}
