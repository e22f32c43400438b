package runstore

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/pelletier/go-toml/v2"

	"quire/lib/file"
	"quire/lib/push"
	"quire/lib/text"
)

const factsFile = "run.toml"

// Facts are what is known about a run when it is created. They never change; AddFacts may
// add a tree, a subject and an image that were not known then.
//
// Two facts of the push are not in run.toml: CommitMessage, which is in the commit, and
// FilesChanged, which may be many; see SaveFiles.
type Facts struct {
	push.Facts
	Executor string // "" if the configuration could not be read

	Tree    string  // the id of the commit's tree; "" if unknown
	Subject string  // of the commit's message, see push.Subject
	Image   *string // the value of ci.image, "" for none; nil if the pipeline was not compiled

	RerunOf    string // the id of the earlier run of the same commit that this one repeats; "" for none
	OnlyFailed bool   // for a rerun: skip the jobs that succeeded in that run
	OnlyJob    string // for a rerun: only this job runs again, jobs that need it, and failed jobs that it needs

	Gate    bool   // the run decides whether Git accepts the push, which waits for it
	Skipped bool   // the push asked for no run: this one is recorded as failed and never starts
	Note    string // why the run is Skipped; it is in history, not in run.toml
}

// factsTOML is the file run.toml. All values are escaped as in every other file, because
// TOML is UTF-8 and cannot hold every file name.
type factsTOML struct {
	ID          string    `toml:"id"`
	Repo        string    `toml:"repo"`
	GitDir      string    `toml:"git-dir"`
	Ref         string    `toml:"ref"`
	SHA         string    `toml:"sha"`
	PreviousSHA string    `toml:"old-sha,omitempty"`
	PushedAt    time.Time `toml:"pushed-at"`
	Pusher      string    `toml:"pusher,omitempty"`
	Executor    string    `toml:"executor,omitempty"`
	RerunOf     string    `toml:"rerun-of,omitempty"`
	OnlyFailed  bool      `toml:"only-failed,omitempty"`
	OnlyJob     string    `toml:"only-job,omitempty"`
	Trigger     string    `toml:"trigger,omitempty"`
	Gate        bool      `toml:"gate,omitempty"`
	Skipped     bool      `toml:"skipped,omitempty"`

	Vars map[string]string `toml:"vars,inline,omitempty"` // inline: commitTOML may be appended

	commitTOML
}

// commitTOML holds the keys that may be added to run.toml.
type commitTOML struct {
	Tree    string  `toml:"tree,omitempty"`
	Subject string  `toml:"subject,omitempty"`
	Image   *string `toml:"image,omitempty"`
}

func (f Facts) commitTOML() commitTOML {
	t := commitTOML{Tree: text.Escape(f.Tree), Subject: text.Escape(f.Subject)}
	if f.Image != nil {
		image := text.Escape(*f.Image)
		t.Image = &image
	}
	return t
}

func formatFacts(f Facts) ([]byte, error) {
	return toml.Marshal(factsTOML{
		ID:          f.ID,
		Repo:        text.Escape(f.Repo),
		GitDir:      text.Escape(f.GitDir),
		Ref:         text.Escape(f.Ref),
		SHA:         text.Escape(f.SHA),
		PreviousSHA: text.Escape(f.PreviousSHA),
		PushedAt:    f.PushedAt.UTC().Truncate(time.Millisecond),
		Pusher:      text.Escape(f.Pusher),
		Executor:    text.Escape(f.Executor),
		RerunOf:     f.RerunOf,
		OnlyFailed:  f.OnlyFailed,
		OnlyJob:     text.Escape(f.OnlyJob),
		Trigger:     f.Trigger,
		Gate:        f.Gate,
		Skipped:     f.Skipped,
		Vars:        mapValues(f.Vars, text.Escape),
		commitTOML:  f.commitTOML(),
	})
}

func parseFacts(data []byte) (Facts, error) {
	var t factsTOML
	if err := toml.Unmarshal(completeLines(data), &t); err != nil {
		return Facts{}, err
	}
	f := Facts{
		Facts: push.Facts{
			ID:          t.ID,
			Repo:        text.Unescape(t.Repo),
			GitDir:      text.Unescape(t.GitDir),
			Ref:         text.Unescape(t.Ref),
			SHA:         text.Unescape(t.SHA),
			PreviousSHA: text.Unescape(t.PreviousSHA),
			PushedAt:    t.PushedAt,
			Pusher:      text.Unescape(t.Pusher),
			Trigger:     cmp.Or(t.Trigger, push.ByPush), // quire 0.1 did not record it
			Vars:        mapValues(t.Vars, text.Unescape),
		},
		Executor:   text.Unescape(t.Executor),
		Tree:       text.Unescape(t.Tree),
		Subject:    text.Unescape(t.Subject),
		RerunOf:    t.RerunOf,
		OnlyFailed: t.OnlyFailed,
		OnlyJob:    text.Unescape(t.OnlyJob),
		Gate:       t.Gate,
		Skipped:    t.Skipped,
	}
	if t.Image != nil {
		image := text.Unescape(*t.Image)
		f.Image = &image
	}
	return f, f.check()
}

// mapValues returns vars with do applied to each value.
func mapValues(vars map[string]string, do func(string) string) map[string]string {
	vars = maps.Clone(vars)
	for name, value := range vars {
		vars[name] = do(value)
	}
	return vars
}

func readFacts(path string) (Facts, error) {
	data, err := file.Read(path)
	if err != nil {
		return Facts{}, err
	}
	f, err := parseFacts(data)
	if err != nil {
		return Facts{}, fmt.Errorf("cannot read '%s': %w", path, err)
	}
	return f, nil
}

// AddFacts adds the tree, the subject and the image of f to the record of the run if the
// record lacks them. Nothing is synced: a power loss may remove them again, and then they
// are determined again when the run is driven.
func (r *Run) AddFacts(f Facts) error {
	if err := r.addFacts(f); err != nil {
		return fmt.Errorf("cannot add facts of run %s: %w", r.ID, text.Cause(err))
	}
	return nil
}

func (r *Run) addFacts(f Facts) error {
	unlock, err := file.OpenLocked(filepath.Join(r.Dir, historyFile)) // as for each change of a run
	if err != nil {
		return err
	}
	defer unlock.Close()
	path := filepath.Join(r.Dir, factsFile)
	data, err := file.Read(path)
	if err != nil {
		return err
	}
	has, err := parseFacts(data)
	if err != nil {
		return err
	}
	var lacks Facts
	if has.Tree == "" {
		has.Tree, lacks.Tree = f.Tree, f.Tree
	}
	if has.Subject == "" {
		has.Subject, lacks.Subject = f.Subject, f.Subject
	}
	if has.Image == nil {
		has.Image, lacks.Image = f.Image, f.Image
	}
	r.Tree, r.Subject, r.Image = has.Tree, has.Subject, has.Image
	lines, err := toml.Marshal(lacks.commitTOML())
	if err != nil || len(lines) == 0 {
		return err
	}
	out, err := file.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer out.Close()
	return writeLine(out, int64(len(completeLines(data))), string(lines))
}

// check returns an error for facts that no run can have.
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
	return CheckRepo(f.Repo)
}
