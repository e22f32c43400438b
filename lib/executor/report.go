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

// Report writes for people how the run in the directory dir ended: each failed job with the
// last lines of its last failed command, and a line of totals. For the full log, a recorded
// run has an id and Report names a command, because behind a launcher dir can be on another
// machine. If id is "", Report names a path. The text comes from redacted files.
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
	fmt.Fprintf(out, "%s: %s\n", c.paint(color, words), totals(o.Jobs))
	return out.Flush()
}

// failedAllowed is the state in the report for jobs whose failure is allowed.
const failedAllowed = "failed (allowed)"

// totals returns the number of jobs in each state, and the time from the first start to the
// last end.
func totals(jobs []JobOutcome) string {
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
