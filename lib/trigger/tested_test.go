package trigger

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quire/lib/config"
	"quire/lib/push"
	"quire/lib/runlog"
	"quire/lib/runstore"
)

const (
	dev  = "refs/heads/dev"
	main = "refs/heads/main"
)

func pushed(ref, sha, tree string) runstore.Facts {
	return runstore.Facts{
		Facts: push.Facts{Repo: "a.git", GitDir: "/a.git", Ref: ref, SHA: sha, Trigger: push.ByPush}, Tree: tree,
	}
}

// jobs returns events of a run with jobs that ended as given: NAME=STATE, or NAME for a
// job without an end.
func jobs(ends ...string) string {
	var list, events []string
	for _, end := range ends {
		name, state, ended := strings.Cut(end, "=")
		list = append(list, fmt.Sprintf(`{"id":%q,"inputs":["quire/push"]}`, name))
		if ended {
			state, allowed := strings.CutSuffix(state, " allowed")
			events = append(events, fmt.Sprintf(`{"event":"job-end","job":%q,"state":%q,"allowed":%v}`, name, state, allowed))
		}
	}
	start := `{"event":"run-start","jobs":[` + strings.Join(list, ",") + `]}`
	return start + "\n" + strings.Join(events, "\n") + "\n"
}

// addRun adds a run with events to the store, and makes the changes.
func addRun(t *testing.T, store *runstore.Store, facts runstore.Facts, events string, changes ...runstore.Change) *runstore.Run {
	t.Helper()
	runs, err := store.Create(facts)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(runs[0].Dir, runlog.EventsFile), []byte(events), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		if err := runs[0].Transition(c); err != nil {
			t.Fatal(err)
		}
	}
	return runs[0]
}

func emptyStore(t *testing.T) *runstore.Store {
	t.Helper()
	store, err := runstore.Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

var (
	active   = runstore.Change{State: runstore.Active}
	complete = runstore.Change{State: runstore.Complete}
	ran      = jobs("a=complete", "b=complete")
)

func TestTested(t *testing.T) {
	id := runstore.NewID(time.Now())
	onlyMain := map[string]config.Secret{"open": {Value: "x"}, "token": {Value: "y", Refs: []string{main}}}
	with := func(f runstore.Facts, change func(*runstore.Facts)) runstore.Facts {
		change(&f)
		return f
	}
	for _, test := range []struct {
		name    string
		mode    string
		secrets map[string]config.Secret
		earlier runstore.Facts
		events  string
		ends    []runstore.Change
		now     runstore.Facts
		want    string
	}{
		{name: "commit", mode: "commit", now: pushed(main, one, "t2"), want: "commit"},
		{name: "the same ref", mode: "commit", now: pushed(dev, one, "t1"), want: "commit"},
		{name: "gate", mode: "commit", now: with(pushed(main, one, "t1"), func(f *runstore.Facts) { f.Trigger = push.ByGate }), want: "commit"},
		{name: "off", mode: "none", now: pushed(main, one, "t1")},
		{name: "no configuration", mode: "", now: pushed(main, one, "t1")},
		{name: "another commit", mode: "commit", now: pushed(main, two, "t1")},
		{name: "tree", mode: "tree", now: pushed(main, two, "t1"), want: "tree"},
		{name: "tree of the same commit", mode: "tree", now: pushed(main, one, "t1"), want: "commit"},
		{name: "another tree", mode: "tree", now: pushed(main, two, "t2")},
		{name: "unknown trees", mode: "tree", earlier: pushed(dev, one, ""), now: pushed(main, two, "")},
		{name: "another repository", mode: "commit", earlier: with(pushed(dev, one, "t1"), func(f *runstore.Facts) { f.Repo = "b.git" }), now: pushed(main, one, "t1")},

		{name: "new run by hand", mode: "commit", now: with(pushed(main, one, "t1"), func(f *runstore.Facts) { f.Trigger = push.ByHand })},
		{name: "new run with a word", mode: "commit", now: with(pushed(main, one, "t1"), func(f *runstore.Facts) { f.Trigger = "nightly" })},
		{name: "new run with variables", mode: "commit", now: with(pushed(main, one, "t1"), func(f *runstore.Facts) { f.Vars = map[string]string{"A": ""} })},
		{name: "new run is a rerun", mode: "commit", now: with(pushed(main, one, "t1"), func(f *runstore.Facts) { f.RerunOf = id })},
		{name: "new run is skipped", mode: "commit", now: with(pushed(main, one, "t1"), func(f *runstore.Facts) { f.Skipped = true })},

		{name: "earlier run by hand", mode: "commit", earlier: with(pushed(dev, one, "t1"), func(f *runstore.Facts) { f.Trigger = push.ByHand }), now: pushed(main, one, "t1"), want: "commit"},
		{name: "earlier run with variables", mode: "commit", earlier: with(pushed(dev, one, "t1"), func(f *runstore.Facts) { f.Vars = map[string]string{"A": "1"} }), now: pushed(main, one, "t1")},
		{name: "earlier run is a rerun", mode: "tree", earlier: with(pushed(dev, one, "t1"), func(f *runstore.Facts) { f.RerunOf = id }), now: pushed(main, one, "t1")},
		{name: "earlier run has the result of another", mode: "commit", ends: []runstore.Change{{State: runstore.Complete, By: id}}, now: pushed(main, one, "t1")},
		{name: "failed", mode: "commit", ends: []runstore.Change{active, {State: runstore.Failed, Reason: "exit", Code: 1}}, now: pushed(main, one, "t1")},
		{name: "superseded", mode: "commit", ends: []runstore.Change{{State: runstore.Superseded, By: id}}, now: pushed(main, one, "t1")},
		{name: "active", mode: "commit", ends: []runstore.Change{active}, now: pushed(main, one, "t1")},

		{name: "a job skipped", mode: "commit", events: jobs("a=complete", "b=skipped"), now: pushed(main, one, "t1")},
		{name: "a job without an end", mode: "tree", events: jobs("a=complete", "b"), now: pushed(main, one, "t1")},
		{name: "an allowed failure", mode: "commit", events: jobs("a=complete", "b=failed allowed"), now: pushed(main, one, "t1"), want: "commit"},
		{name: "a failure", mode: "commit", events: jobs("a=complete", "b=failed"), now: pushed(main, one, "t1")},
		{name: "no jobs", mode: "commit", events: jobs(), now: pushed(main, one, "t1")},
		{name: "no events", mode: "commit", events: "\n", now: pushed(main, one, "t1")},
		{name: "a mirror", mode: "commit", events: jobs("a=complete", "quire/mirror=complete"), now: pushed(main, one, "t1")},

		{name: "a secret more", mode: "commit", secrets: onlyMain, now: pushed(main, one, "t1")},
		{name: "a secret more, by tree", mode: "tree", secrets: onlyMain, now: pushed(main, two, "t1")},
		{name: "a secret less", mode: "commit", secrets: onlyMain, earlier: pushed(main, one, "t1"), now: pushed(dev, one, "t1"), want: "commit"},
		{name: "the same secrets", mode: "commit", secrets: onlyMain, now: pushed("refs/heads/other", one, "t1"), want: "commit"},
	} {
		t.Run(test.name, func(t *testing.T) {
			store := emptyStore(t)
			if test.earlier.Ref == "" {
				test.earlier = pushed(dev, one, "t1")
			}
			if test.events == "" {
				test.events = ran
			}
			if test.ends == nil {
				test.ends = []runstore.Change{active, complete}
			}
			earlier := addRun(t, store, test.earlier, test.events, test.ends...)
			settings := config.Settings{SkipTested: test.mode, Secrets: test.secrets}
			found, err := findTested(store, settings, []runstore.Facts{test.now})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if found[0] != nil {
				if got = found[0].Same; found[0].By.ID != earlier.ID {
					t.Errorf("the earlier run is %s, want %s", found[0].By.ID, earlier.ID)
				}
			}
			if got != test.want {
				t.Errorf("found the same %q, want %q", got, test.want)
			}
		})
	}
}

// Each of many new runs gets the newest earlier run that counts for it.
func TestTestedOfMany(t *testing.T) {
	store := emptyStore(t)
	old := addRun(t, store, pushed(main, one, "t1"), ran, active, complete)
	addRun(t, store, pushed(main, two, "t2"), ran, active, runstore.Change{State: runstore.Failed, Reason: "exit", Code: 1})
	young := addRun(t, store, pushed(dev, one, "t1"), ran, active, complete)
	settings := config.Settings{SkipTested: "commit", Secrets: map[string]config.Secret{"token": {Value: "x", Refs: []string{main}}}}
	found, err := findTested(store, settings, []runstore.Facts{
		pushed(main, one, "t1"), pushed(dev, one, "t1"), pushed(dev, two, "t2"), pushed("refs/heads/x", one, "t1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []*runstore.Run{old, young, nil, young} {
		switch {
		case want == nil && found[i] != nil:
			t.Errorf("run %d has the result of %s, want none", i, found[i].By.ID)
		case want != nil && (found[i] == nil || found[i].By.ID != want.ID):
			t.Errorf("run %d: got %v, want the result of %s", i, found[i], want.ID)
		}
	}
}

// Only the newest ended runs of the repository count, whatever their ends.
func TestTestedReadsTheNewestRuns(t *testing.T) {
	for _, mode := range []string{"commit", "tree"} {
		store := emptyStore(t)
		addRun(t, store, pushed(dev, one, "t1"), ran, active, complete)
		newer := func(n int, repo string) {
			facts := make([]runstore.Facts, n)
			for i := range facts {
				facts[i] = pushed(dev, two, "t2")
				facts[i].Repo, facts[i].Skipped = repo, i%2 == 0
			}
			runs, err := store.Create(facts...)
			if err != nil {
				t.Fatal(err)
			}
			var changes []runstore.RunChange
			for i, r := range runs {
				if i%2 == 1 {
					changes = append(changes, runstore.RunChange{Run: r, Change: complete})
				}
			}
			for _, err := range store.TransitionAll(changes) {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		found := func() bool {
			list, err := findTested(store, config.Settings{SkipTested: mode}, []runstore.Facts{pushed(main, one, "t1")})
			if err != nil {
				t.Fatal(err)
			}
			return list[0] != nil
		}
		newer(maxEarlier-1, "a.git")
		newer(10, "b.git")
		if _, err := store.Create(pushed(main, two, "t2")); err != nil { // pending, which is no end
			t.Fatal(err)
		}
		if !found() {
			t.Errorf("%s: run %d from the end does not count", mode, maxEarlier)
		}
		newer(1, "a.git")
		if found() {
			t.Errorf("%s: run %d from the end counts", mode, maxEarlier+1)
		}
	}
}
