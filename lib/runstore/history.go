package runstore

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"quire/lib/file"
	"quire/lib/runlog"
	"quire/lib/text"
)

const historyFile = "history"

// formatTime returns a time as in every file of the store: always of one length, in UTC.
func formatTime(t time.Time) string { return t.UTC().Format(runlog.LineTime) }

// formatChange returns c as a line of the history, with its newline.
func formatChange(c Change) string {
	var b strings.Builder
	b.WriteString(formatTime(c.Time) + " " + string(c.State))
	add := func(key, value string) {
		if value != "" {
			b.WriteString(" " + key + "=" + text.EscapeWord(value))
		}
	}
	add("reason", c.Reason)
	if c.hasCode() {
		add("code", strconv.Itoa(c.Code))
	}
	add("by", c.By)
	add("executor", c.Executor)
	add("note", c.Note)
	b.WriteByte('\n')
	return b.String()
}

// parseChange reads a line of the history, without its newline. It ignores unknown keys.
func parseChange(line string) (Change, error) {
	when, rest, ok := strings.Cut(line, " ")
	t, err := time.Parse(time.RFC3339, when)
	if !ok || err != nil {
		return Change{}, fmt.Errorf("no time: '%s'", line)
	}
	words := strings.Split(rest, " ")
	c := Change{Time: t.UTC(), State: State(words[0])}
	if !slices.Contains(States, c.State) {
		return Change{}, fmt.Errorf("unknown state: '%s'", line)
	}
	for _, w := range words[1:] {
		key, value, ok := strings.Cut(w, "=")
		if !ok {
			return Change{}, fmt.Errorf("not KEY=VALUE: '%s'", line)
		}
		value = text.Unescape(value)
		switch key {
		case "reason":
			c.Reason = value
		case "code":
			if c.Code, err = strconv.Atoi(value); err != nil {
				return Change{}, fmt.Errorf("code is no number: '%s'", line)
			}
		case "by":
			c.By = value
		case "executor":
			c.Executor = value
		case "note":
			c.Note = value
		}
	}
	return c, nil
}

// completeLines returns the complete lines of text, without the rest of an interrupted write
// after the last newline.
func completeLines(text []byte) []byte { return text[:bytes.LastIndexByte(text, '\n')+1] }

// parseHistory returns the status that a history describes. It rejects a history with
// illegal changes.
func parseHistory(text []byte) (Status, error) {
	var s Status
	for line := range strings.Lines(string(completeLines(text))) {
		c, err := parseChange(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return Status{}, err
		}
		if !s.State.mayBecome(c.State) {
			return Status{}, fmt.Errorf("%s follows %s", c.State, s.State)
		}
		s.apply(c)
	}
	if s.State == "" {
		return Status{}, errors.New("no whole line")
	}
	return s, nil
}

// Status returns the state of the run and how it got there.
func (r *Run) Status() (Status, error) {
	text, err := file.Read(filepath.Join(r.Dir, historyFile))
	if err != nil {
		return Status{}, r.gone(err)
	}
	s, err := parseHistory(text)
	if err != nil {
		return Status{}, fmt.Errorf("cannot read history of run %s: %w", r.ID, err)
	}
	return s, nil
}

// Changes returns the history of the run, oldest change first.
func (r *Run) Changes() ([]Change, error) {
	text, err := file.Read(filepath.Join(r.Dir, historyFile))
	if err != nil {
		return nil, r.gone(err)
	}
	var changes []Change
	for line := range strings.Lines(string(completeLines(text))) {
		c, err := parseChange(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, fmt.Errorf("cannot read history of run %s: %w", r.ID, err)
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// gone turns the error of opening a file of a run that was removed into ErrNotFound.
func (r *Run) gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("run %s: %w", r.ID, ErrNotFound)
	}
	return fmt.Errorf("cannot read history of run %s: %w", r.ID, text.Cause(err))
}
