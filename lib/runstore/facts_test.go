package runstore

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quire/lib/push"
)

// Facts are read as they were written.
func TestFacts(t *testing.T) {
	f := Facts{Facts: push.Facts{
		ID: NewID(time.Now()), Repo: "work/a.git", GitDir: "/srv/work/a.git", Ref: "refs/heads/main", SHA: "abc",
		PushedAt: time.Date(2026, 2, 3, 4, 5, 6, 70e6, time.UTC), Trigger: "push",
	}}
	none, image := "", "docker.io/a:b'\n"
	all := f
	all.PreviousSHA, all.Pusher, all.Executor, all.RerunOf, all.OnlyFailed = "def", "Pat #1 = \"x\"", "host", NewID(time.Now()), true
	all.Tree, all.Subject, all.Image = "123", "Fix 'it'\t\xff", &image
	all.Skipped, all.OnlyJob = true, "a\tb \xff"
	all.Trigger, all.Vars = "schedule", map[string]string{"A": "", "B_2": "a\n'b'\xff%41\""}
	noImage := f
	noImage.Image = &none
	strange := f
	strange.Ref, strange.GitDir = "refs/heads/\xff\u00e9\n", "/srv/%41 b"
	for _, want := range []Facts{f, all, noImage, strange} {
		text, err := formatFacts(want)
		ok(t, err)
		got, err := parseFacts(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v %s\n%s", err, diff, text)
		}
	}
}

// TestAddFacts checks that only facts that the record lacks are added, and that a reader
// never sees the rest of an interrupted write.
func TestAddFacts(t *testing.T) {
	image, other := "debian", "other"
	first := Facts{Tree: "1", Subject: "one", Image: &image}
	for name, test := range map[string]struct {
		made, added, want Facts
		torn              string // after the last line
	}{
		"all":        {added: first, want: first},
		"a part":     {made: Facts{Tree: "1", Subject: "one"}, added: Facts{Image: &image}, want: first},
		"nothing":    {made: first, want: first},
		"once more":  {made: first, added: Facts{Tree: "2", Subject: "two", Image: &other}, want: first},
		"after torn": {made: Facts{Tree: "1", Subject: "one"}, torn: "image = 'deb", added: Facts{Image: &image}, want: first},
		"torn":       {made: first, torn: "subject = 'oh\x00", want: first},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			made := facts("a.git", "r")
			made.Tree, made.Subject, made.Image = test.made.Tree, test.made.Subject, test.made.Image
			r := create(t, s, made)[0]
			path := filepath.Join(r.Dir, factsFile)
			text, err := os.ReadFile(path)
			ok(t, err)
			ok(t, os.WriteFile(path, append(text, test.torn...), 0o600))
			ok(t, r.AddFacts(test.added))
			found, err := s.Find(r.ID)
			ok(t, err)
			for where, f := range map[string]Facts{"on disk": found.Facts, "in memory": r.Facts} {
				got := Facts{Tree: f.Tree, Subject: f.Subject, Image: f.Image}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", where, diff)
				}
			}
		})
	}
}

// TestAddFactsAtOnce checks that no key is added twice, which would not be TOML.
func TestAddFactsAtOnce(t *testing.T) {
	s := open(t)
	r := create(t, s, facts("a.git", "r"))[0]
	done := make(chan error)
	const writers = 8
	for range writers {
		go func() {
			image := "debian"
			mine := *r
			done <- mine.AddFacts(Facts{Tree: "1", Subject: "one", Image: &image})
		}()
	}
	for range writers {
		ok(t, <-done)
	}
	text, err := os.ReadFile(filepath.Join(r.Dir, factsFile))
	ok(t, err)
	if n := strings.Count(string(text), "image ="); n != 1 {
		t.Errorf("%d images:\n%s", n, text)
	}
}
