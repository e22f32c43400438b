package runstore

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"

	"quire/lib/file"
	"quire/lib/text"
)

const factsFile = "run.toml"

// Facts is what is known of a run when it is made, and never changes.
type Facts struct {
	ID       string
	Repo     string    // the name of the repository
	GitDir   string    // its Git directory, absolute
	Ref      string    // the full name of the ref
	SHA      string    // what was pushed
	OldSHA   string    // what the ref was before; "" where not known
	PushedAt time.Time // Create puts the present for the zero time
	Pusher   string    // "" where not known
	Executor string    // "" where the configuration could not be read

	RerunOf    string // the id of the run of the same commit that this one repeats; "" for none
	OnlyFailed bool   // of a rerun: jobs that succeeded then are not run again
}

// factsTOML is the file run.toml. All values are escaped as in every other file,
// because TOML, being UTF-8, cannot hold every name of a file.
type factsTOML struct {
	ID       string    `toml:"id"`
	Repo     string    `toml:"repo"`
	GitDir   string    `toml:"git-dir"`
	Ref      string    `toml:"ref"`
	SHA      string    `toml:"sha"`
	OldSHA   string    `toml:"old-sha,omitempty"`
	PushedAt time.Time `toml:"pushed-at"`
	Pusher   string    `toml:"pusher,omitempty"`
	Executor string    `toml:"executor,omitempty"`

	RerunOf    string `toml:"rerun-of,omitempty"`
	OnlyFailed bool   `toml:"only-failed,omitempty"`
}

func formatFacts(f Facts) ([]byte, error) {
	return toml.Marshal(factsTOML{
		ID:       f.ID,
		Repo:     text.Escape(f.Repo),
		GitDir:   text.Escape(f.GitDir),
		Ref:      text.Escape(f.Ref),
		SHA:      text.Escape(f.SHA),
		OldSHA:   text.Escape(f.OldSHA),
		PushedAt: f.PushedAt.UTC().Truncate(time.Millisecond),
		Pusher:   text.Escape(f.Pusher),
		Executor: text.Escape(f.Executor),

		RerunOf:    f.RerunOf,
		OnlyFailed: f.OnlyFailed,
	})
}

func parseFacts(data []byte) (Facts, error) {
	t, ok := plainFacts(string(data))
	if !ok {
		t = factsTOML{}
		if err := toml.Unmarshal(data, &t); err != nil {
			return Facts{}, err
		}
	}
	f := Facts{
		ID:       t.ID,
		Repo:     text.Unescape(t.Repo),
		GitDir:   text.Unescape(t.GitDir),
		Ref:      text.Unescape(t.Ref),
		SHA:      text.Unescape(t.SHA),
		OldSHA:   text.Unescape(t.OldSHA),
		PushedAt: t.PushedAt,
		Pusher:   text.Unescape(t.Pusher),
		Executor: text.Unescape(t.Executor),

		RerunOf:    t.RerunOf,
		OnlyFailed: t.OnlyFailed,
	}
	return f, f.check()
}

// plainFacts reads what formatFacts usually writes, each value in single quotes on a
// line of its own; the first use of the TOML decoder is a thirtieth of a transition. ok is
// false for anything else, which may be TOML all the same.
func plainFacts(text string) (t factsTOML, ok bool) {
	fields := map[string]*string{
		"id": &t.ID, "repo": &t.Repo, "git-dir": &t.GitDir, "ref": &t.Ref, "sha": &t.SHA, "old-sha": &t.OldSHA,
		"pusher": &t.Pusher, "executor": &t.Executor, "rerun-of": &t.RerunOf,
	}
	dated := false
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " = ")
		field := fields[key]
		switch {
		case key == "pushed-at" && !dated:
			at, err := time.Parse(factsTime, value)
			if err != nil || at.Format(factsTime) != value {
				return t, false
			}
			t.PushedAt, dated = at, true
		case key == "only-failed" && value == "true" && !t.OnlyFailed:
			t.OnlyFailed = true
		case field != nil && isLiteral(value):
			*field = value[1 : len(value)-1]
			delete(fields, key) // a second one is not TOML
		default:
			return t, false
		}
	}
	return t, true
}

// factsTime is how a time is written in run.toml: in UTC, to the millisecond.
const factsTime = "2006-01-02T15:04:05.999Z"

// isLiteral reports whether s is a literal string of TOML without control characters.
func isLiteral(s string) bool {
	return len(s) >= 2 && s[0] == '\'' && strings.IndexByte(s[1:], '\'') == len(s)-2 &&
		utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

func readFacts(path string) (Facts, error) {
	text, err := file.Read(path)
	if err != nil {
		return Facts{}, err
	}
	f, err := parseFacts(text)
	if err != nil {
		return Facts{}, fmt.Errorf("cannot read '%s': %w", path, err)
	}
	return f, nil
}

// check returns an error for facts that cannot be those of a run.
func (f Facts) check() error {
	if !IsID(f.ID) {
		return fmt.Errorf("not an id: '%s'", text.Escape(f.ID))
	}
	for _, v := range []struct{ name, value string }{{"ref", f.Ref}, {"sha", f.SHA}, {"git-dir", f.GitDir}} {
		if v.value == "" {
			return fmt.Errorf("run %s has no %s", f.ID, v.name)
		}
	}
	if f.RerunOf != "" && !IsID(f.RerunOf) {
		return fmt.Errorf("not an id: '%s'", text.Escape(f.RerunOf))
	}
	return checkRepo(f.Repo)
}
