package runstore

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
)

// What is written is read again without the TOML decoder, but for what has to be
// written in another way.
func TestPlainFacts(t *testing.T) {
	f := Facts{
		ID: NewID(time.Now()), Repo: "work/a.git", GitDir: "/srv/work/a.git", Ref: "refs/heads/main", SHA: "abc",
		PushedAt: time.Date(2026, 2, 3, 4, 5, 6, 70e6, time.UTC),
	}
	all := f
	all.OldSHA, all.Pusher, all.Executor, all.RerunOf, all.OnlyFailed = "def", "Pat #1 = \"x\"", "host", NewID(time.Now()), true
	whole := f
	whole.PushedAt = time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	strange := f
	strange.Ref, strange.GitDir = "refs/heads/\xff\u00e9\n", "/srv/%41 b"
	quote := f
	quote.Pusher = "O'Hara"
	for _, tt := range []struct {
		facts Facts
		plain bool
	}{{f, true}, {all, true}, {whole, true}, {strange, true}, {quote, false}} {
		text, err := formatFacts(tt.facts)
		if err != nil {
			t.Fatal(err)
		}
		if _, plain := plainFacts(string(text)); plain != tt.plain {
			t.Errorf("plain is %v:\n%s", plain, text)
		}
		got, err := parseFacts(text)
		if diff := cmp.Diff(tt.facts, got); diff != "" || err != nil {
			t.Errorf("%v %s\n%s", err, diff, text)
		}
	}
}

// FuzzPlainFacts holds that what is read without the TOML decoder is what it reads.
func FuzzPlainFacts(f *testing.F) {
	for _, text := range []string{
		"", "id = 'a'\nrepo = 'b'\n", "id = 'a'\nid = 'b'\n", "id = ''\nid = ''", "id = 'a''\n", "id = '''a'''\n", "id = '\n",
		"id='a'", "id = 'a' # remark\n", "\n", "pusher = 'a\tb'\n", "pusher = '\u00e9'", "pusher = '\xff'", "other = 'a'\n",
		"pushed-at = 2026-02-03T04:05:06.07Z\n", "pushed-at = 2026-02-03T04:05:06Z", "pushed-at = 2026-02-31T04:05:06Z",
		"pushed-at = 2026-02-03T04:05:06,5Z", "pushed-at = 0001-01-01T00:00:00Z\npushed-at = 2026-02-03T04:05:06Z",
		"pushed-at = 2026-02-03T4:05:06Z", "only-failed = true\nonly-failed = true\n", "only-failed = false\n", "ID = 'a'\n",
		"pushed-at = 2026-02-03T04:05:06.070Z", "pushed-at = 2026-02-03T04:05:06.0712Z", "pushed-at = 2026-02-03T24:00:00Z",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := plainFacts(text)
		if !ok {
			return
		}
		var want factsTOML
		if err := toml.Unmarshal([]byte(text), &want); err != nil {
			t.Fatalf("not TOML: %v", err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}
