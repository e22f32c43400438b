package runstore

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var changes = map[State]Change{
	Pending:    {State: Pending},
	Active:     {State: Active},
	Complete:   {State: Complete},
	Failed:     {State: Failed, Reason: "exit", Code: 2},
	Superseded: {State: Superseded, By: "019ab0c4-7a52-7d3e-8f00-00000000aa11"},
}

// For every pair of states: an allowed change is made; any other is refused with both
// states named and nothing written.
func TestTransitions(t *testing.T) {
	allowed := map[State][]State{
		Pending: {Active, Complete, Failed, Superseded},
		Active:  {Complete, Failed, Superseded},
	}
	for _, from := range States {
		for _, to := range States {
			s := open(t)
			r := create(t, s, facts("a", "r"))[0]
			if from != Pending {
				change(t, r, changes[from])
			}
			before, err := os.ReadFile(filepath.Join(r.Dir, "history"))
			if err != nil {
				t.Fatal(err)
			}
			err = r.Transition(changes[to])
			if slices.Contains(allowed[from], to) {
				if err != nil {
					t.Errorf("%s to %s: %v", from, to, err)
				}
				if status, _ := r.Status(); status.State != to {
					t.Errorf("%s to %s: state %s", from, to, status.State)
				}
				continue
			}
			var refused *StateError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), string(from)) || !strings.Contains(err.Error(), string(to)) {
				t.Errorf("%s to %s: %v", from, to, err)
			}
			after, _ := os.ReadFile(filepath.Join(r.Dir, "history"))
			if diff := cmp.Diff(string(before), string(after)); diff != "" {
				t.Errorf("%s to %s wrote:\n%s", from, to, diff)
			}
		}
	}
}

func TestTransitionRefusesNonsense(t *testing.T) {
	s := open(t)
	r := create(t, s, facts("a", "r"))[0]
	for _, c := range []Change{
		{State: "paused"},
		{State: Failed},
		{State: Failed, Reason: "bored"},
		{State: Complete, Reason: "exit"},
		{State: Superseded},
		{State: Active, By: r.ID},
		{State: Failed, Reason: "exit", By: r.ID},
		{State: Complete, By: "x"},
	} {
		if err := r.Transition(c); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
	if status, err := r.Status(); err != nil || status.State != Pending {
		t.Errorf("status %+v, %v", status, err)
	}
}

func TestHistoryAndJournal(t *testing.T) {
	s := open(t)
	r := create(t, s, facts("a", "refs/heads/m"))[0]
	at := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)
	change(t, r, Change{State: Active, Time: at})
	change(t, r, Change{State: Failed, Reason: "exit", Code: 2, Time: at.Add(time.Second)})
	text, err := os.ReadFile(filepath.Join(r.Dir, "history"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), " pending\n")
	if diff := cmp.Diff("2026-01-02T03:04:05.006Z active\n2026-01-02T03:04:06.006Z failed reason=exit code=2\n", rest); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	status, err := r.Status()
	if err != nil || !status.Started.Equal(at) || !status.Finished.Equal(at.Add(time.Second)) {
		t.Errorf("status %+v, %v", status, err)
	}
	journal, err := os.ReadFile(filepath.Join(s.Root(), "journal"))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{r.ID, "failed", "a", "refs/heads/m", r.SHA, "host", "exit", "2",
		formatTime(status.Created), "2026-01-02T03:04:05.006Z", "2026-01-02T03:04:06.006Z", "-"}, "\t") + "\n"
	if diff := cmp.Diff(want, string(journal)); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
	if _, err := os.Lstat(filepath.Join(s.Root(), "live", r.ID)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the link in live/: %v", err)
	}
}

// Readers ignore the rest of an interrupted write, and the next write removes it.
func TestTornLines(t *testing.T) {
	s := open(t)
	runs := create(t, s, facts("a", "r"), facts("a", "r"))
	change(t, runs[0], Change{State: Complete})
	for _, path := range []string{filepath.Join(runs[1].Dir, "history"), filepath.Join(s.Root(), "journal")} {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("2026-01-02T03:04:05.006Z compl"); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	want := []string{runs[1].ID + " pending", runs[0].ID + " complete"}
	if diff := cmp.Diff(want, list(t, s, Filter{})); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	change(t, runs[1], Change{State: Complete})
	want[0] = runs[1].ID + " complete"
	if diff := cmp.Diff(want, list(t, s, Filter{})); diff != "" {
		t.Errorf("list after the next write (-want +got):\n%s", diff)
	}
}

func FuzzParseHistory(f *testing.F) {
	f.Add("2026-01-02T03:04:05.006Z pending\n2026-01-02T03:04:05.006Z failed reason=exit code=2 note=a\\x20b\n")
	f.Add("2026-01-02T03:04:05.006Z pending\ntorn")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseHistory([]byte(text))
		if err != nil {
			return
		}
		c, err := parseChange(strings.TrimSuffix(formatChange(s.Change), "\n"))
		if err != nil || c.State != s.State || c.Note != s.Note || c.Reason != s.Reason {
			t.Errorf("%q: %+v comes back as %+v, %v", text, s.Change, c, err)
		}
	})
}

// The table of states, which all other code uses.
func TestStates(t *testing.T) {
	for _, tt := range []struct {
		s                                State
		final, reason, replaced, verdict bool
	}{
		{s: Pending}, {s: Active}, {s: "other"}, {s: ""},
		{s: Complete, final: true, verdict: true},
		{s: Failed, final: true, verdict: true, reason: true},
		{s: Superseded, final: true, replaced: true},
	} {
		if tt.s.Final() != tt.final || tt.s.HasReason() != tt.reason || tt.s.IsReplaced() != tt.replaced || tt.s.isVerdict() != tt.verdict {
			t.Errorf("%q: final %v, reason %v, replaced %v, verdict %v", tt.s, tt.s.Final(), tt.s.HasReason(), tt.s.IsReplaced(), tt.s.isVerdict())
		}
	}
}
