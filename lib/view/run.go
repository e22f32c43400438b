package view

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"quire/lib/runlog"
	"quire/lib/runstore"
	"quire/lib/text"
)

// A Run holds everything that can be shown about a run.
type Run struct {
	URL string // the address of its page, for WriteJSON; "" for none

	Record  runstore.Record
	Status  runstore.Status
	Changes []runstore.Change  // the history, oldest change first
	Jobs    []runlog.JobRecord // in the order of the graph; all have ended if the run is Over
	Why     string             // why the run is in its state, and which records cannot be read; may be empty
	Over    bool               // the run has ended, and its driver too: nothing of the run changes any more

	run *runstore.Run
}

// Read returns everything that can be shown about run.
func Read(run *runstore.Run) (Run, error) {
	v := Run{run: run}
	var err error
	if v.Status, err = run.Status(); err != nil {
		return v, err
	}
	if v.Record, err = run.Record(); err != nil {
		return v, err
	}
	if v.Changes, err = run.Changes(); err != nil {
		return v, err
	}
	if v.Why, err = run.Explain(); err != nil {
		return v, err
	}
	driven, err := run.Driven()
	if err != nil {
		return v, err
	}
	var unread error
	if v.Jobs, unread = runlog.Summarize(run.Dir); unread != nil { // jobs may have written these records, but no others
		v.Why = strings.TrimPrefix(v.Why+"; "+unread.Error(), "; ")
	}
	if v.Over = v.Status.State.Final() && !driven; v.Over {
		endJobs(v.Jobs, v.Status)
	}
	return v, nil
}

// WriteJSON writes the record like list --json, followed by more keys.
func (v Run) WriteJSON(w io.Writer) error {
	head, err := encode(v.Record)
	if err != nil {
		return err
	}
	optional := func(s string) *string {
		if s == "" {
			return nil
		}
		s = runstore.JSONText(s)
		return &s
	}
	vars := map[string]string{}
	for name, value := range v.run.Vars {
		vars[name] = runstore.JSONText(value)
	}
	v.readArtifacts()
	jobs := v.Jobs
	if jobs == nil {
		jobs = []runlog.JobRecord{}
	}
	tail, err := encode(struct {
		Dir      string             `json:"dir"`
		GitDir   string             `json:"git-dir"`
		OldSHA   *string            `json:"old-sha"`
		Tree     *string            `json:"tree"`
		Subject  *string            `json:"subject"`
		Image    *string            `json:"image"`
		Pusher   *string            `json:"pusher"`
		PushedAt time.Time          `json:"pushed-at"`
		Trigger  string             `json:"trigger"`
		Vars     map[string]string  `json:"vars"`
		By       *string            `json:"by"`
		Note     *string            `json:"note"`
		Why      *string            `json:"why"`
		URL      *string            `json:"url"`
		Jobs     []runlog.JobRecord `json:"jobs"`
	}{
		runstore.JSONText(v.run.Dir), runstore.JSONText(v.run.GitDir), optional(v.run.PreviousSHA), optional(v.run.Tree), optional(v.run.Subject), v.run.Image, optional(v.run.Pusher),
		v.run.PushedAt, v.run.Trigger, vars, optional(v.Status.By), optional(v.Status.Note), optional(v.Why), optional(v.URL), jobs,
	})
	if err != nil {
		return err
	}
	head[len(head)-1] = ',' // two objects become one
	_, err = fmt.Fprintf(w, "%s%s\n", head, tail[1:])
	return err
}

// maxArtifacts is how many artifacts of a run WriteJSON shows at most.
const maxArtifacts = 1 << 17

// readArtifacts adds the artifacts to the jobs. If some cannot be read, or they are too
// many, v.Why says so.
func (v *Run) readArtifacts() {
	left := maxArtifacts
	for i := range v.Jobs {
		j := &v.Jobs[i]
		err := runlog.Artifacts(v.run.Dir, j.ID, func(a runlog.Artifact) error {
			if left--; left < 0 {
				return fmt.Errorf("only the first %d are shown", maxArtifacts)
			}
			a.Path = runstore.JSONText(a.Path)
			j.Artifacts = append(j.Artifacts, a)
			return nil
		})
		if err != nil {
			v.Why = strings.TrimPrefix(fmt.Sprintf("%s; artifacts of job '%s': %v", v.Why, j.ID, err), "; ")
		}
	}
}

// WriteText writes keys and values, one a line, separated by a tab.
func (v Run) WriteText(w io.Writer) error {
	out := &lineWriter{w: w}
	out.line("id", v.run.ID)
	out.line("state", Describe(v.Status))
	if v.run.Gate {
		out.line("gate", "true")
	}
	if v.run.Skipped {
		out.line("skipped", "true")
	}
	out.line("why", v.Why)
	out.line("repo", v.run.Repo)
	out.line("git-dir", v.run.GitDir)
	out.line("ref", v.run.Ref)
	out.line("sha", v.run.SHA)
	out.line("old-sha", v.run.PreviousSHA)
	out.line("subject", v.run.Subject)
	out.line("tree", v.run.Tree)
	if v.run.Image != nil {
		out.line("image", *v.run.Image)
	}
	out.line("pusher", v.run.Pusher)
	out.line("trigger", v.run.Trigger)
	for _, name := range slices.Sorted(maps.Keys(v.run.Vars)) {
		out.line("var", name+"="+v.run.Vars[name])
	}
	out.line("executor", v.Record.Executor)
	out.line("dir", v.run.Dir)
	for _, c := range v.Changes {
		out.line(string(c.State), c.Time.Format(time.RFC3339))
	}
	out.line("note", v.Status.Note)
	for _, j := range v.Jobs {
		text := j.State
		if j.Reason != "" {
			text += " reason=" + j.Reason
		}
		if j.Allowed {
			text += " allowed=true"
		}
		out.line("job", j.ID+" "+text)
		if j.Error != "" {
			out.line("error", j.ID+" "+j.Error)
		}
		for _, c := range j.Commands {
			exit := "-"
			if c.Exit != nil {
				exit = fmt.Sprint(*c.Exit)
			}
			out.line("sh", fmt.Sprintf("%s %d exit=%s %s", j.ID, c.N, exit, c.Cmd))
		}
	}
	return out.err
}

type lineWriter struct {
	w   io.Writer
	err error
}

// line prints a key and its value, unless the value is "".
func (l *lineWriter) line(key, value string) {
	if value == "" || l.err != nil {
		return
	}
	_, l.err = fmt.Fprintf(l.w, "%s\t%s\n", key, text.Escape(value))
}

// Describe returns a state and its reason in a few words.
func Describe(s runstore.Status) string {
	text := string(s.State)
	if s.Reason != "" {
		text += " reason=" + s.Reason
	}
	if s.Code != 0 {
		text += fmt.Sprintf(" code=%d", s.Code)
	}
	if s.By != "" {
		text += " by=" + s.By
	}
	return text
}
