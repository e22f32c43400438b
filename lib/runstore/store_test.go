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

	"quire/lib/push"
)

func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func facts(repo, ref string) Facts {
	return Facts{Facts: push.Facts{Repo: repo, GitDir: "/srv/" + repo, Ref: ref, SHA: strings.Repeat("a", 40), Trigger: push.ByPush}, Executor: "host"}
}

func create(t *testing.T, s *Store, f ...Facts) []*Run {
	t.Helper()
	runs, err := s.Create(f...)
	if err != nil {
		t.Fatal(err)
	}
	return runs
}

func change(t *testing.T, r *Run, c Change) {
	t.Helper()
	if err := r.Transition(c); err != nil {
		t.Fatal(err)
	}
}

// list returns the ids and states of the runs that f accepts.
func list(t *testing.T, s *Store, f Filter) []string {
	t.Helper()
	got := []string{}
	for r, err := range s.List(f) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.ID+" "+string(r.State))
	}
	return got
}

func TestCreate(t *testing.T) {
	s := open(t)
	f := facts("work/a b.git", "refs/heads/main")
	f.PreviousSHA, f.Pusher = strings.Repeat("0", 40), "jo"
	f.PushedAt = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	r := create(t, s, f)[0]

	if want := filepath.Join(s.Root(), "runs", f.Repo, r.ID); r.Dir != want {
		t.Errorf("directory %s, want %s", r.Dir, want)
	}
	f.ID = r.ID
	found, err := s.Find(r.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f, found.Facts); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	status, err := r.Status()
	if err != nil || status.State != Pending || status.Created.IsZero() {
		t.Errorf("status %+v, %v", status, err)
	}
	left, err := os.ReadDir(filepath.Join(s.Root(), "tmp"))
	if err != nil || len(left) != 1 || left[0].Name() != lockFile {
		t.Errorf("left in tmp: %v, %v", left, err)
	}
	for path, want := range map[string]os.FileMode{r.Dir: 0o700, filepath.Join(r.Dir, "history"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
}

// Two thousand refs in one push: recorded at once, ascending, quickly.
func TestCreateMany(t *testing.T) {
	s := open(t)
	many := make([]Facts, 2000)
	for i := range many {
		many[i] = facts("a.git", "refs/heads/b")
	}
	runs := create(t, s, many...)
	last := ""
	for _, r := range runs {
		if r.ID <= last || !IsID(r.ID) {
			t.Fatalf("id %s after %s", r.ID, last)
		}
		last = r.ID
	}
	if got := len(list(t, s, Filter{})); got != len(many) {
		t.Errorf("%d runs listed, want %d", got, len(many))
	}
}

// A skipped run has failed as cancelled, and is recorded beside a pending one.
func TestCreateSkipped(t *testing.T) {
	s := open(t)
	skipped := func(repo string) Facts {
		f := facts(repo, "r")
		f.Skipped, f.Note = true, "not wanted"
		return f
	}
	runs, err := s.Create(skipped("a.git"), facts("a.git", "r"), skipped("b.git"))
	if err != nil {
		t.Fatal(err)
	}
	if status, err := runs[1].Status(); err != nil || status.State != Pending || !exists(s.path("live", runs[1].ID)) {
		t.Errorf("status %+v, %v", status, err)
	}
	for _, r := range []*Run{runs[0], runs[2]} {
		status, err := r.Status()
		if err != nil || status.State != Failed || status.Reason != "cancelled" || status.Note != "not wanted" || exists(s.path("live", r.ID)) {
			t.Errorf("status %+v, %v, live %v", status, err, exists(s.path("live", r.ID)))
		}
		if found, err := s.Find(r.ID); err != nil || found.Dir != r.Dir || !found.Skipped {
			t.Errorf("found %v, %v", found, err)
		}
	}
	for state, want := range map[State]int{Skipped: 2, Failed: 0, Pending: 1} {
		if got := list(t, s, Filter{States: []State{state}}); len(got) != want {
			t.Errorf("%s: %v", state, got)
		}
	}
	if problems, err := s.Check(false); err != nil || len(problems) > 0 {
		t.Errorf("problems %v, %v", problems, err)
	}
	if err := errors.Join(os.Remove(s.path("journal")), os.Mkdir(s.path("journal"), 0o700)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(skipped("c.git")); err == nil {
		t.Error("without a journal")
	}
	left, err := filepath.Glob(s.path("[rt]*", "*", "*")) // runs and tmp
	if err != nil || len(left) != 3 {
		t.Errorf("left: %q, %v", left, err)
	}
}

// A repair of the store during Create adds no second line for skipped runs.
func TestCreateSkippedDuringRepair(t *testing.T) {
	const times, each = 10, 50
	s := open(t)
	skipped := facts("a.git", "r")
	skipped.Skipped = true
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range times {
			if _, err := s.Create(slices.Repeat([]Facts{skipped}, each)...); err != nil {
				t.Error(err)
			}
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		problems, err := s.Check(true)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			if strings.Contains(p.What, "not the only one") {
				t.Errorf("%s: %s", p.Path, p.What)
			}
		}
	}
	if problems, err := s.Check(false); err != nil || len(problems) > 0 {
		t.Errorf("problems %v, %v", problems, err)
	}
	if got := list(t, s, Filter{States: []State{Skipped}}); len(got) != times*each {
		t.Errorf("listed %d, want %d", len(got), times*each)
	}
}

func TestCreateRefuses(t *testing.T) {
	s := open(t)
	for name, f := range map[string]Facts{
		"no repo":     facts("", "r"),
		"above":       facts("../x", "r"),
		"inside":      facts("a/../../x", "r"),
		"absolute":    facts("/x", "r"),
		"empty part":  facts("a//b", "r"),
		"id":          facts(NewID(time.Now()), "r"),
		"no ref":      facts("a", ""),
		"too long":    facts(strings.Repeat("x", 256), "r"),
		"a bad id":    {Facts: push.Facts{ID: "x", Repo: "a", GitDir: "/a", Ref: "r", SHA: "s"}},
		"no git dir":  {Facts: push.Facts{Repo: "a", Ref: "r", SHA: "s"}},
		"no revision": {Facts: push.Facts{Repo: "a", GitDir: "/a", Ref: "r"}},
	} {
		if _, err := s.Create(facts("good", "r"), f); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if got := list(t, s, Filter{}); len(got) != 0 {
		t.Errorf("runs were made: %v", got)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none"): "cannot open root '" + dir + "/none': no such file or directory",
		file:                       "cannot open root '" + file + "': not a directory",
	} {
		if _, err := Open(path, nil); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// Values with every byte that could break a line are read as they were written.
func TestOddValues(t *testing.T) {
	s := open(t)
	odd := "a b\tc\nd\re\\f\x01\x7f\xff\u0085\"'=%é-"
	f := Facts{Facts: push.Facts{Repo: odd, GitDir: "/" + odd, Ref: "refs/heads/" + odd, SHA: "abc", Pusher: odd}, Executor: "host"}
	r := create(t, s, f)[0]
	change(t, r, Change{State: Active, Note: odd, Executor: odd})
	status, err := r.Status()
	if err != nil || status.Note != odd || status.Executor != odd {
		t.Errorf("status %+v, %v", status, err)
	}
	change(t, r, Change{State: Failed, Reason: "exit", Code: 3})
	for _, name := range []string{r.Dir + "/history", s.Root() + "/journal"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range text {
			if c != '\n' && c != '\t' && (c < ' ' || c == 0x7f || c == 0xff) {
				t.Errorf("%s holds the byte %#x:\n%q", name, c, text)
			}
		}
	}
	found, err := s.Find(r.ID[20:])
	if err != nil {
		t.Fatal(err)
	}
	f.ID, f.PushedAt, f.Trigger = r.ID, found.PushedAt, push.ByPush
	if diff := cmp.Diff(f, found.Facts); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	for rec, err := range s.List(Filter{Repo: odd, Ref: f.Ref}) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Repo != odd || rec.Ref != f.Ref || rec.Executor != odd {
			t.Errorf("record %+v", rec)
		}
	}
}

func TestFind(t *testing.T) {
	s := open(t)
	ids := []string{
		"019ab0c4-7a52-7d3e-8f00-00000000aa11",
		"019ab0c4-7a52-7d3e-8f00-00000000aa22",
		"019ab0c4-7a53-7d3e-8f00-00000000bb33",
	}
	all := []Facts{facts("a.git", "refs/heads/main"), facts("a.git", "refs/heads/main"), facts("x@y", "refs/tags/v1@2")}
	for i := range all {
		all[i].ID = ids[i]
	}
	runs := create(t, s, all...)
	for round := range 2 {
		for name, want := range map[string]string{
			ids[0]: ids[0], "aa11": ids[0], "AA22": ids[1], "7a53": ids[2],
			"a.git@refs/heads/main": ids[1], "a.git@main": ids[1], "x@y@v1@2": ids[2],
		} {
			r, err := s.Find(name)
			if err != nil || r.ID != want {
				t.Errorf("round %d: %s: %v, %v", round, name, r, err)
			}
		}
		for _, name := range []string{"", "zz", "a.git@none", "ffff", "019ab0c4-7a52-7d3e-8f00-00000000aa99", "../" + ids[0]} {
			if r, err := s.Find(name); !errors.Is(err, ErrNotFound) {
				t.Errorf("round %d: %q: %v, %v", round, name, r, err)
			}
		}
		var ambiguous *ambiguousError
		if _, err := s.Find("aa"); !errors.As(err, &ambiguous) {
			t.Errorf("ambiguous: %v", err)
		} else if diff := cmp.Diff(ids[:2], ambiguous.ids); diff != "" || ambiguous.more {
			t.Errorf("candidates (-want +got):\n%s", diff)
		}
		for _, r := range runs { // and again when all have ended
			if round == 0 {
				change(t, r, Change{State: Complete})
			}
		}
	}
}

// relink restores the link of a run in live/, as a power loss may.
func relink(s *Store, r *Run) error {
	return os.Symlink(filepath.Join("..", "runs", r.Repo, r.ID), filepath.Join(s.Root(), "live", r.ID))
}
