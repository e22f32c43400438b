package web

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"quire/lib/file"
	"quire/lib/runlog"
	"quire/lib/runstore"
	"quire/lib/text"
	"quire/lib/view"
)

// Bounds of what the page of a run shows. The log and the JSON have the rest.
const (
	maxJobs     = 100 // jobs, and jobs in the graph
	maxFailures = 5   // jobs whose last lines are shown
	maxCommands = 150 // commands of all jobs
	lastLines   = 12  // of the command that failed
	maxText     = 300 // bytes of a command or an error
	maxMessage  = 4 << 10
)

// A runData is the page of a run.
type runData struct {
	Run      *runstore.Run
	Record   runstore.Record
	State    string // for people
	Reason   string
	Tally    string
	Why      string
	Note     string
	Subject  string
	Message  string // without the subject
	Image    string
	Failures []failure
	Graph    *graph
	Jobs     []jobRow
	MoreJobs int
	Changes  []runstore.Change
	Vars     string
	Related  []related

	Artifacts     []artifactRow
	ArtifactsNote string

	Live *liveData // nil unless the run is active or pending
}

// A related is another run of the repository. Its URL is "" if the run was removed.
type related struct{ How, ID, URL string }

// A failure is the end of the log of a failed job. A visitor wants to see it first.
type failure struct {
	Job, Command, How string
	Lines             []line
	URL               string // of the command in the log
}

// A jobRow is a job and its commands.
type jobRow struct {
	N              int
	ID, State, Why string
	Took, URL      string
	Open           bool
	Commands       []commandRow
	MoreCommands   int
}

type commandRow struct{ Text, Exit, State, Took, URL string }

// run writes the page of a run.
func (v *visit) run(run *runstore.Run) error {
	seen, err := view.Read(run)
	if err != nil {
		return err
	}
	status, jobs := seen.Status, seen.Jobs
	known := v.hider(run)
	hide := func(s string) string { return hidePaths(known(s)) }
	d := runData{
		Run: run, Record: seen.Record, State: string(seen.Record.Shown()), Why: hide(seen.Why), Note: hide(status.Note),
		Subject: cmp.Or(run.Subject, run.SHA), Changes: seen.Changes, Reason: reasonText(seen.Record), Tally: tally(jobs),
		Graph: v.graph(run, jobs),
	}
	if run.Image != nil {
		d.Image = *run.Image
	}
	_, body, _ := strings.Cut(strings.TrimSpace(run.Message()), "\n\n")
	d.Message = textLines(text.Cut(body, maxMessage))
	relate := func(how, id string) {
		if id == "" {
			return
		}
		r := related{How: how, ID: id}
		if _, err := v.store.Run(run.Repo, id); err == nil {
			r.URL = v.runURL(run.Repo, id)
		}
		d.Related = append(d.Related, r)
	}
	relate("repeats", run.RerunOf)
	if status.State.IsReplaced() {
		relate("replaced by", status.By)
	} else {
		relate("tested by", status.By)
	}
	d.Artifacts, d.ArtifactsNote = v.artifacts(run, jobs)
	d.Vars = text.Line(strings.Join(slices.Sorted(maps.Keys(run.Vars)), ", "))
	shown := byFailure(jobs)
	d.MoreJobs = max(0, len(shown)-maxJobs)
	commands := maxCommands
	for n, j := range shown[:min(len(shown), maxJobs)] {
		if failed(j) && len(d.Failures) < maxFailures {
			d.Failures = append(d.Failures, v.failure(run, j, known))
		}
		d.Jobs = append(d.Jobs, v.jobRow(run, n, j, known, &commands))
	}
	if status.State == runstore.Failed && len(d.Failures) == 0 && status.Reason != "cancelled" {
		d.Failures = append(d.Failures, failure{Lines: lastLog(run), URL: v.LogURL(run, "", 1)})
	}
	if !status.State.Final() && !v.static {
		d.Live = &liveData{URL: fmt.Sprintf("%s/log?live=%d", run.ID, liveTail)}
	}
	return v.page("run", symbol(d.State)+" "+text.Line(d.Subject), &d)
}

// symbol returns the symbol of a state, for titles.
func symbol(state string) string {
	symbols := map[string]string{"complete": "✓", "failed": "✗", "active": "●", "pending": "○"}
	return cmp.Or(symbols[state], "–")
}

// byFailure returns the jobs, failed ones first.
func byFailure(jobs []runlog.JobRecord) []runlog.JobRecord {
	var bad, other []runlog.JobRecord
	for _, j := range jobs {
		if failed(j) {
			bad = append(bad, j)
		} else {
			other = append(other, j)
		}
	}
	return append(bad, other...)
}

// failed reports whether a job failed that is not allowed to fail.
func failed(j runlog.JobRecord) bool { return j.State == runlog.Failed && !j.Allowed }

// reasonText returns the reason of a failure, and whether a gate refused the push; "" for
// other runs.
func reasonText(r runstore.Record) string {
	switch {
	case r.Skipped:
		return ""
	case r.Code != nil:
		r.Reason = fmt.Sprintf("%s %d", r.Reason, *r.Code)
	}
	if r.Refused() {
		return "push refused, " + r.Reason
	}
	return r.Reason
}

// tally returns the number of jobs in each state as text.
func tally(jobs []runlog.JobRecord) string {
	if len(jobs) == 0 {
		return ""
	}
	const allowed = "allowed to fail"
	n := map[string]int{}
	for _, j := range jobs {
		if j.State == runlog.Failed && j.Allowed {
			n[allowed]++
		} else {
			n[knownState(j.State)]++
		}
	}
	words := fmt.Sprintf("%d jobs", len(jobs))
	if len(jobs) == 1 {
		words = "1 job"
	}
	for _, state := range []string{runlog.Failed, allowed, runlog.Skipped, "active", "pending"} {
		if n[state] > 0 {
			words += fmt.Sprintf(", %d %s", n[state], state)
		}
	}
	return words
}

// failure describes the failure of a job: its last command that did not succeed, and the end
// of the output.
func (v *visit) failure(run *runstore.Run, j runlog.JobRecord, hide func(string) string) failure {
	f := failure{Job: text.Line(j.ID), How: jobReason(j, hide)}
	for _, c := range slices.Backward(j.Commands) {
		if c.Exit != nil && *c.Exit == 0 {
			continue
		}
		f.Command = textLines(text.Cut(hide(c.Cmd), 4*maxText))
		f.URL = v.commandURL(run, j, c)
		ends, _ := runlog.Tail(run.Dir, c.Log, lastLines) // a command without output has no log
		var style style
		for _, l := range ends {
			f.Lines = append(f.Lines, style.line(text.Cut(l, maxLine)))
		}
		break
	}
	return f
}

// textLines returns a text of several lines without control characters, and without white
// space at its beginning and end.
func textLines(s string) string {
	var out strings.Builder
	for l := range strings.Lines(s) {
		l = strings.ReplaceAll(strings.TrimRight(l, "\r\n"), "\t", "    ")
		out.WriteString(text.Line(l) + "\n")
	}
	return strings.TrimSpace(out.String())
}

// jobReason returns why a job is in its state. If a command failed, that is its exit status:
// the page shows the command beside it.
func jobReason(j runlog.JobRecord, hide func(string) string) string {
	if j.Reason == "exit" && len(j.Commands) > 0 {
		return fmt.Sprintf("exit %d", j.Code)
	}
	return text.Line(hidePaths(hide(text.Cut(cmp.Or(j.Error, j.Reason), maxText))))
}

// commandURL returns the address of the log of a command. In an export it is the first page
// of the job's log, even if the command is on another page.
func (v *visit) commandURL(run *runstore.Run, j runlog.JobRecord, c runlog.CommandRecord) string {
	if j.ID == "" {
		return ""
	}
	query := fmt.Sprintf("?sh=%d", c.N)
	if v.static {
		query = ""
	}
	return v.LogURL(run, j.ID, 1) + query + fmt.Sprintf("#sh-%d", c.N)
}

// jobRow returns the row of a job. It shows at most *commands commands, and subtracts their
// number from *commands.
func (v *visit) jobRow(run *runstore.Run, n int, j runlog.JobRecord, hide func(string) string, commands *int) jobRow {
	row := jobRow{
		N: n, ID: text.Line(j.ID), State: knownState(j.State), Took: v.between(j.Started, j.Finished, j.State == "active"),
		Open: failed(j) || j.State == "active", Why: jobReason(j, hide),
	}
	if j.Allowed {
		row.Why = "allowed to fail: " + row.Why
	}
	if j.ID != "" && len(j.Commands) > 0 {
		row.URL = v.LogURL(run, j.ID, 1)
	}
	for _, c := range j.Commands {
		if *commands == 0 {
			row.MoreCommands++
			continue
		}
		*commands--
		cmd := commandRow{
			Text: textLines(text.Cut(hide(c.Cmd), maxText)), Took: v.between(c.Started, c.Finished, j.State == "active"),
			Exit: "running", State: "active",
		}
		switch {
		case c.Exit != nil && *c.Exit == 0:
			cmd.Exit, cmd.State = "exit 0", runlog.Complete
		case c.Exit != nil:
			cmd.Exit, cmd.State = fmt.Sprintf("exit %d", *c.Exit), runlog.Failed
		case row.State != "active":
			cmd.Exit, cmd.State = "not ended", runlog.Failed
		}
		cmd.URL = v.commandURL(run, j, c)
		row.Commands = append(row.Commands, cmd)
	}
	return row
}

// lastLog returns the end of the combined log. It is for a run that failed before its jobs.
func lastLog(run *runstore.Run) []line {
	f, err := os.Open(filepath.Join(run.Dir, runstore.LogFile))
	if err != nil {
		return nil
	}
	defer f.Close()
	data, _, _ := file.ReadEnd(f, 16<<10)
	all := bytes.Split(bytes.TrimRight(data, "\n"), []byte("\n"))
	var lines []line
	var style style
	for _, l := range all[max(0, len(all)-2*lastLines):] {
		lines = append(lines, style.line(shownLine(string(l))))
	}
	return lines
}

// hider returns a function that removes the directories of the run, its repository and the
// root from a text.
func (v *visit) hider(run *runstore.Run) func(string) string {
	root, err := filepath.Abs(v.Root)
	if err != nil {
		root = v.Root
	}
	known := strings.NewReplacer(run.Dir+"/", "", run.Dir, "(run)", run.GitDir, "(repository)", root+"/", "", root, "(root)")
	return known.Replace
}

// hidePaths replaces each absolute path in a message of quire by its last component.
func hidePaths(s string) string {
	var out strings.Builder
	for at := 0; at < len(s); {
		if s[at] != '/' || at > 0 && !strings.ContainsRune(" '\"(=:", rune(s[at-1])) {
			out.WriteByte(s[at])
			at++
			continue
		}
		end := strings.IndexAny(s[at:], " '\"\n):,")
		if end < 0 {
			end = len(s) - at
		}
		out.WriteString(path.Base(s[at : at+end]))
		at += end
	}
	return out.String()
}

// json writes the output of show --json for a run, without paths of this machine and without
// the values of variables.
func (v *visit) json(run *runstore.Run) error {
	seen, err := view.Read(run)
	if err != nil {
		return err
	}
	seen.URL = v.cfg.For(run.Repo).RunURL(run.Repo, run.ID)
	var all bytes.Buffer
	if err := seen.WriteJSON(&all); err != nil {
		return err
	}
	var record map[string]any
	in := json.NewDecoder(&all)
	in.UseNumber()
	if err := in.Decode(&record); err != nil {
		return fmt.Errorf("cannot read the JSON of run %s: %w", run.ID, err)
	}
	delete(record, "dir")
	delete(record, "git-dir")
	if vars, ok := record["vars"].(map[string]any); ok {
		for name := range vars {
			vars[name] = nil
		}
	}
	out, err := json.Marshal(hideAll(record, v.hider(run)))
	if err != nil {
		return err
	}
	return v.write(200, "application/json", append(out, '\n'))
}

// hideAll applies hide to all strings in a JSON value.
func hideAll(value any, hide func(string) string) any {
	switch x := value.(type) {
	case string:
		return hide(x)
	case []any:
		for i := range x {
			x[i] = hideAll(x[i], hide)
		}
	case map[string]any:
		for k := range x {
			x[k] = hideAll(x[k], hide)
			if sentence, ok := x[k].(string); ok && (k == "why" || k == "note" || k == "error") {
				x[k] = hidePaths(sentence)
			}
		}
	}
	return value
}
