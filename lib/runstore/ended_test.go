package runstore

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quire/lib/push"
)

// queuedToNotify returns the ids of the runs queued for notification.
func queuedToNotify(t *testing.T, s *Store) []string {
	t.Helper()
	var ids []string
	for r, err := range s.PendingNotify() {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.ID)
	}
	return ids
}

func TestPrevious(t *testing.T) {
	s, err := Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	id := map[string]string{}
	runs := map[string]*Run{}
	for i, name := range []string{"other repository", "first", "other ref", "superseded", "second", "skipped", "pending", "third", "newest"} {
		f := Facts{Facts: push.Facts{ID: NewID(now.Add(time.Duration(i) * time.Second)), Repo: "a.git", GitDir: "/a", Ref: "refs/heads/a\tb", SHA: "1"}}
		switch name {
		case "other repository":
			f.Repo = "b.git"
		case "other ref":
			f.Ref = "refs/heads/a\tbc"
		case "skipped":
			f.Skipped = true
		}
		made, err := s.Create(f)
		if err != nil {
			t.Fatal(err)
		}
		id[name], runs[name] = f.ID, made[0]
	}
	// They end in an order that is not the order of their ids.
	for _, end := range []struct {
		name string
		Change
	}{
		{"newest", Change{State: Complete}},
		{"second", Change{State: Failed, Reason: "timeout"}},
		{"other ref", Change{State: Complete}},
		{"superseded", Change{State: Superseded, By: id["newest"]}},
		{"first", Change{State: Complete}},
		{"other repository", Change{State: Complete}},
	} {
		if err := runs[end.name].Transition(end.Change); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]string{}
	for name, r := range runs {
		rec, err := s.Previous(r)
		if err != nil {
			t.Fatal(err)
		}
		got[name] = ""
		for other := range id {
			if id[other] == rec.ID {
				got[name] = other
			}
		}
	}
	want := map[string]string{
		"other repository": "", "first": "", "other ref": "", "superseded": "first", "second": "first",
		"skipped": "second", "pending": "second", "third": "second", "newest": "second",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// If there are programs to notify, a run is queued once its end is visible and its driver has
// unlocked. It leaves the queue when they were notified or when it is removed.
func TestPendingNotify(t *testing.T) {
	s, err := Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	end := func() *Run {
		t.Helper()
		made, err := s.Create(Facts{Facts: push.Facts{Repo: "a.git", GitDir: "/a", Ref: "r", SHA: "1"}})
		if err != nil {
			t.Fatal(err)
		}
		if err := made[0].Transition(Change{State: Complete}); err != nil {
			t.Fatal(err)
		}
		return made[0]
	}
	end()
	if exists(s.path("ended")) || queuedToNotify(t, s) != nil {
		t.Error("a run is queued without a program to notify")
	}
	if err := os.Mkdir(s.path(OnEndDir), 0o700); err != nil {
		t.Fatal(err)
	}
	first, second, third := end(), end(), end()
	driver, err := second.Drive()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join("..", "runs", "a.git", third.ID), s.path("live", third.ID)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{first.ID}, queuedToNotify(t, s)); diff != "" {
		t.Error(diff)
	}
	driver.Unlock()
	if err := third.complete(); err != nil { // interrupted before its last step
		t.Fatal(err)
	}
	if err := first.Notified(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{second.ID, third.ID}, queuedToNotify(t, s)); diff != "" {
		t.Error(diff)
	}
	if err := os.RemoveAll(second.Dir); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{third.ID}, queuedToNotify(t, s)); diff != "" || exists(s.path("ended", second.ID)) {
		t.Errorf("of a run that is gone: %s", diff)
	}
}
