package executor

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"quire/lib/runlog"
	"quire/lib/text"
)

// tailLines is how many lines of a failed command the report shows.
const tailLines = 10

// Report writes for people how a run ended whose files are in dir: each job that failed,
// with the last lines of its last command that failed and where the rest is, and a line of
// numbers. If the run is recorded, id is its id, and the rest is shown by a command: behind
// a launcher dir can be on another machine. Otherwise id is "", and a path names the rest.
// The text comes from redacted files.
func Report(w io.Writer, dir, id string, o Outcome, colors bool) error {
	records, err := runlog.Summarize(dir)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	c := console{color: colors}
	for _, j := range o.Jobs {
		if j.State != runlog.Failed {
			continue
		}
		fmt.Fprintf(out, "\n%s", c.paint(red, "failed: "+text.Line(j.ID)))
		if j.Allowed {
			out.WriteString(" (allowed)")
		}
		out.WriteString("\n")
		for line := range strings.SplitSeq(j.Error, "\n") {
			fmt.Fprintf(out, "  %s\n", text.Overwritten(line))
		}
		for _, r := range records {
			if r.ID == j.ID {
				reportCommand(out, dir, id, r)
			}
		}
	}
	words, color := o.State, green
	if o.State == runlog.Failed {
		color = red
		out.WriteString("\n")
	}
	if o.Reason != "" && o.Reason != reasonExit {
		words += " (" + o.Reason + ")"
	}
	fmt.Fprintf(out, "%s: %s\n", c.paint(color, words), numbers(o.Jobs))
	return out.Flush()
}

// failedAllowed is what the report calls jobs whose failure is allowed.
const failedAllowed = "failed (allowed)"

// numbers returns how many jobs ended in each state, and how long all took.
func numbers(jobs []JobOutcome) string {
	counts := map[string]int{}
	var first, last time.Time
	for _, j := range jobs {
		if j.Allowed && j.State == runlog.Failed {
			counts[failedAllowed]++
		} else {
			counts[j.State]++
		}
		if j.Started.IsZero() {
			continue
		}
		if first.IsZero() || j.Started.Before(first) {
			first = j.Started
		}
		if j.Finished.After(last) {
			last = j.Finished
		}
	}
	var parts []string
	for _, state := range []string{runlog.Failed, failedAllowed, runlog.Complete, runlog.Skipped} {
		if n := counts[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	if len(parts) == 0 {
		return "no jobs"
	}
	return strings.Join(parts, ", ") + " in " + seconds(last.Sub(first))
}

// reportCommand writes the end of the job's last command that failed.
func reportCommand(out *bufio.Writer, dir, id string, job runlog.JobRecord) {
	for _, c := range slices.Backward(job.Commands) {
		if c.Exit == nil || *c.Exit == 0 {
			continue
		}
		lines, err := runlog.Tail(dir, c.Log, tailLines)
		for _, line := range lines {
			fmt.Fprintf(out, "    %s\n", line)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist): // it printed nothing
		case id != "":
			fmt.Fprintf(out, "  log: %s\n", text.QuoteLine("quire-runstate", "log", id, job.ID))
		default:
			fmt.Fprintf(out, "  log: %s\n", filepath.Join(dir, filepath.FromSlash(c.Log)))
		}
		return
	}
}
