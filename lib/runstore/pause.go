package runstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"quire/lib/file"
	"quire/lib/text"
)

// pausedFile exists in the root while the root is paused. It holds the note and a
// newline.
const pausedFile = "paused"

// maxNote limits the note of a pause, in bytes.
const maxNote = 4096

// ErrLongNote says that the note of a pause is longer than 4096 bytes.
var ErrLongNote = fmt.Errorf("the note is longer than %d bytes", maxNote)

// A PausedError says that no run begins because the root is paused.
type PausedError struct {
	Root  string
	Since time.Time
	Note  string // of the person who paused it; may be empty
}

func (e *PausedError) Error() string {
	what := fmt.Sprintf("root '%s' is paused since %s", e.Root, e.Since.Local().Format("2006-01-02 15:04"))
	if e.Note != "" {
		what += ": " + e.Note
	}
	return what
}

// Paused returns a *PausedError if the root is paused, nil if it is not, and another
// error if it cannot find out.
func (s *Store) Paused() error {
	info, err := os.Lstat(s.path(pausedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var note []byte
	if err == nil {
		note, err = file.Read(s.path(pausedFile))
	}
	if err != nil {
		return fmt.Errorf("cannot tell if root '%s' is paused: %w", s.root, text.Cause(err))
	}
	return &PausedError{s.root, info.ModTime(), strings.TrimSpace(string(note))}
}

// Pause keeps pending runs from beginning, even if their drivers wait already: when Pause
// returns, no more run becomes active. It wakes these drivers, and they give up. Active
// runs continue. Pausing again replaces the note. The pause survives a reboot.
func (s *Store) Pause(note string) error {
	if len(note) > maxNote {
		return fmt.Errorf("cannot pause root '%s': %w", s.root, ErrLongNote)
	}
	st, err := s.stage()
	if err != nil {
		return fmt.Errorf("cannot pause root '%s': %w", s.root, text.Cause(err))
	}
	defer st.close()
	q, err := file.OpenLocked(s.path("queue")) // a run becomes active while its driver holds this lock
	if err == nil {
		defer q.Close()
		err = file.Replace(s.path(pausedFile), s.path("tmp", pausedFile), 0o600, func(f *os.File) error {
			_, err := f.WriteString(note + "\n")
			return err
		})
	}
	if err == nil {
		err = q.Truncate(0) // it is empty, but this wakes its watchers, see Driver.Context
	}
	if err != nil {
		return fmt.Errorf("cannot pause root '%s': %w", s.root, text.Cause(err))
	}
	return nil
}

// Resume ends a pause, and returns the number of pending runs. The error is ErrNotPaused
// if there was no pause.
func (s *Store) Resume() (pending int, err error) {
	err = os.Remove(s.path(pausedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("cannot resume root '%s': %w", s.root, ErrNotPaused)
	}
	if err == nil {
		err = file.Sync(s.root)
	}
	if err != nil {
		return 0, fmt.Errorf("cannot resume root '%s': %w", s.root, text.Cause(err))
	}
	for _, err := range s.List(Filter{States: []State{Pending}}) {
		if err == nil { // fsck reports the others
			pending++
		}
	}
	return pending, nil
}

// ErrNotPaused says that the root is not paused.
var ErrNotPaused = errors.New("it is not paused")
