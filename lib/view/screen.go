package view

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"quire/lib/push"
	"quire/lib/runlog"
	"quire/lib/runstore"
	"quire/lib/text"
)

// WriteScreen writes the run for a person at a terminal: failures, each command with all of
// its lines, and durations.
func (v Run) WriteScreen(w io.Writer) error {
	out := bufio.NewWriter(w)
	field := func(key, value string) {
		if value != "" {
			fmt.Fprintf(out, "%-9s %s\n", key, text.Line(value))
		}
	}
	state := Describe(v.Status)
	if v.run.Skipped {
		state = string(runstore.Skipped)
	}
	if d := took(v.Record); d != "-" {
		state += ", " + d
	}
	field("run", v.run.ID)
	field("state", state)
	field("why", v.Why)
	field("repo", v.run.Repo)
	field("ref", v.run.Ref)
	field("commit", strings.TrimSpace(v.run.SHA+" "+v.run.Subject))
	field("pusher", v.run.Pusher)
	field("trigger", v.run.Trigger)
	for _, name := range slices.Sorted(maps.Keys(v.run.Vars)) {
		field("var", name+"="+v.run.Vars[name])
	}
	field("executor", v.Record.Executor)
	for _, c := range v.Changes {
		field(string(c.State), c.Time.Local().Format("2006-01-02 15:04:05"))
	}
	field("note", v.Status.Note)
	field("dir", v.run.Dir)
	for _, j := range v.Jobs {
		writeJob(out, j)
	}
	return out.Flush()
}

func writeJob(out io.Writer, j runlog.JobRecord) {
	head := text.Line(j.ID) + ": " + text.Line(j.State)
	if j.Allowed {
		head += " (allowed)"
	}
	fmt.Fprintf(out, "\n%s%s\n", head, duration(j.Started, j.Finished))
	if j.Error != "" {
		writeLines(out, "  ", "  ", j.Error)
	} else if j.Reason != "" {
		writeLines(out, "  ", "  ", j.Reason)
	}
	for _, c := range j.Commands {
		writeLines(out, "  $ ", "    ", strings.Trim(c.Cmd, "\n"))
		switch {
		case c.Exit != nil && *c.Exit != 0:
			fmt.Fprintf(out, "    exit %d%s\n", *c.Exit, duration(c.Started, c.Finished))
		case c.Exit == nil:
			fmt.Fprintf(out, "    has not ended\n")
		}
	}
}

// writeLines writes the lines of words, the first after the prefix first, the others after
// the prefix rest.
func writeLines(out io.Writer, first, rest, words string) {
	for line := range strings.SplitSeq(words, "\n") {
		fmt.Fprintf(out, "%s%s\n", first, text.Overwritten(line))
		first = rest
	}
}

// duration returns ", " and the time between two times; "" if one of them is unknown.
func duration(from, to *time.Time) string {
	if from == nil || to == nil {
		return ""
	}
	return ", " + to.Sub(*from).Round(10*time.Millisecond).String()
}

// A Screen writes a table of the newest runs for a person at a terminal. The table fits on
// the terminal.
type Screen struct {
	Columns int // of the terminal
	Rows    int // how many runs to show at most; 0: all
	rows    [][]string
	more    int
}

// Add adds a run, which must be older than the runs added before.
func (s *Screen) Add(rec runstore.Record) {
	if s.Rows > 0 && len(s.rows) >= s.Rows {
		s.more++
		return
	}
	state := string(rec.Shown())
	if rec.Reason != "" && !rec.Skipped {
		state += " " + rec.Reason
	}
	if rec.Code != nil {
		state += fmt.Sprintf(" %d", *rec.Code)
	}
	s.rows = append(s.rows, []string{
		rec.ID[24:], state, text.Line(rec.Repo), text.Line(push.ShortRef(rec.Ref)), rec.SHA[:min(7, len(rec.SHA))],
		rec.Created.Local().Format("01-02 15:04"), took(rec),
	})
}

// Columns of a Screen that are cut if the terminal is narrow.
const (
	repoColumn = 2
	refColumn  = 3
)

// minColumn is the smallest width of a column that is cut.
const minColumn = 4

// Write writes the table. It shows only the last part of a run's id, which is enough to
// name the run.
func (s *Screen) Write(w io.Writer) error {
	rows := append([][]string{{"ID", "STATE", "REPO", "REF", "SHA", "CREATED", "TOOK"}}, s.rows...)
	widths := make([]int, len(rows[0]))
	total := 2 * (len(widths) - 1)
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], text.Width(cell))
		}
	}
	for _, width := range widths {
		total += width
	}
	for total > s.Columns && max(widths[repoColumn], widths[refColumn]) > minColumn {
		wider := repoColumn
		if widths[refColumn] > widths[repoColumn] {
			wider = refColumn
		}
		widths[wider]--
		total--
	}
	out := bufio.NewWriter(w)
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			if text.Width(cell) > widths[i] {
				cell = text.CutWidth(cell, widths[i]-1) + "…"
			}
			line.WriteString(text.PadWidth(cell, widths[i]) + "  ")
		}
		fmt.Fprintln(out, strings.TrimRight(text.CutWidth(line.String(), s.Columns), " "))
	}
	if s.more > 0 {
		fmt.Fprintf(out, "%d more, see --limit\n", s.more)
	}
	return out.Flush()
}
