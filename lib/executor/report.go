package executor

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"quire/lib/runlog"
)

// tailLines is how many lines of a failed command the report shows, and tailBytes
// where it begins to look for them.
const (
	tailLines = 10
	tailBytes = 64 << 10
)

// Report writes for people how a run ended whose files are in dir: each job that
// failed, with the last lines of its last command that failed and where the rest
// is, and a line of numbers. The text is redacted, being made of redacted files.
func Report(w io.Writer, dir string, o Outcome, colors bool) error {
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
		fmt.Fprintf(out, "\n%s", c.paint(red, "failed: "+j.ID))
		if j.Allowed {
			out.WriteString(" (allowed)")
		}
		fmt.Fprintf(out, "\n  %s\n", j.Error)
		for _, r := range records {
			if r.ID == j.ID {
				reportCommand(out, dir, r.Commands)
			}
		}
	}
	text, color := o.State, green
	if o.State == runlog.Failed {
		color = red
		out.WriteString("\n")
	}
	if o.Reason != "" && o.Reason != reasonExit {
		text += " (" + o.Reason + ")"
	}
	fmt.Fprintf(out, "%s: %s\n", c.paint(color, text), numbers(o.Jobs))
	return out.Flush()
}

// numbers returns how many jobs came to which end, and how long all took.
func numbers(jobs []JobOutcome) string {
	counts := map[string]int{}
	var first, last time.Time
	for _, j := range jobs {
		counts[j.State]++
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
	for _, state := range []string{runlog.Failed, runlog.Complete, runlog.Skipped} {
		if n := counts[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	if len(parts) == 0 {
		return "no jobs"
	}
	return strings.Join(parts, ", ") + " in " + seconds(last.Sub(first))
}

// reportCommand writes the end of the last of the commands that failed.
func reportCommand(out *bufio.Writer, dir string, commands []runlog.CommandRecord) {
	for i := len(commands) - 1; i >= 0; i-- {
		c := commands[i]
		if c.Exit == nil || *c.Exit == 0 {
			continue
		}
		lines, err := tail(dir, c.Log)
		for _, line := range lines {
			fmt.Fprintf(out, "    %s\n", line)
		}
		if !errors.Is(err, fs.ErrNotExist) { // it printed nothing
			fmt.Fprintf(out, "  log: %s\n", filepath.Join(dir, filepath.FromSlash(c.Log)))
		}
		return
	}
}

// tail returns the texts of the last records of a log of the run in dir.
func tail(dir, name string) ([]string, error) {
	file, err := runlog.Open(dir, name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	from := max(0, info.Size()-tailBytes)
	data, err := io.ReadAll(io.NewSectionReader(file, from, tailBytes))
	if err != nil {
		return nil, err
	}
	if from > 0 {
		_, data, _ = bytes.Cut(data, []byte("\n")) // the rest of a record
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	lines = lines[max(0, len(lines)-tailLines):]
	for i, line := range lines {
		// The time, the stream and the tag hold no space.
		if parts := strings.SplitN(line, " ", 4); len(parts) == 4 {
			lines[i] = parts[3]
		}
	}
	if len(lines) == 1 && lines[0] == "" {
		return nil, nil
	}
	return lines, nil
}
