package runstore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"quire/lib/file"
	"quire/lib/text"
)

// Transition changes the state of the run, and returns when the change is on disk. If
// several callers ask at once, each change is judged by the state that the one before it
// left. If the change is not allowed, the error is a *StateError. On any error nothing has
// changed.
func (r *Run) Transition(c Change) error {
	err := r.transition(c)
	if err == nil && c.State.Final() {
		r.store.afterEnd(r)
	}
	return err
}

// transition is Transition without calling onEnd.
func (r *Run) transition(c Change) error {
	e, err := r.edit(c)
	if err != nil {
		return err
	}
	defer e.file.Close()
	if err := appendLine(e.file, e.size, formatChange(e.change)); err != nil {
		return fmt.Errorf("cannot change run %s: %w", r.ID, text.Cause(err))
	}
	if e.change.State.Final() {
		// The change is made. If the rest fails, the link in live/ stays, and Reconcile
		// tries again.
		_ = r.store.finish(e)
	}
	return nil
}

// An edit is an allowed change of a run, with the lock of its history.
type edit struct {
	run    *Run
	change Change
	file   *os.File // the history; closing it unlocks it
	size   int64    // of its complete lines
	status Status   // before the change
}

func (r *Run) edit(c Change) (*edit, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("cannot change run %s: %w", r.ID, err)
	}
	if c.Time.IsZero() {
		c.Time = time.Now()
	}
	f, err := file.OpenLocked(filepath.Join(r.Dir, historyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cannot change run %s: %w", r.ID, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot change run %s: %w", r.ID, text.Cause(err))
	}
	status, size, err := readHistory(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot read history of run %s: %w", r.ID, text.Cause(err))
	}
	if !status.State.mayBecome(c.State) || c.From != "" && c.From != status.State {
		f.Close()
		return nil, &StateError{r.ID, status.State, c.State}
	}
	return &edit{r, c, f, size, status}, nil
}

// readHistory returns the status in an open history, and the end of its complete lines.
func readHistory(f *os.File) (Status, int64, error) {
	text, err := io.ReadAll(f)
	if err != nil {
		return Status{}, 0, err
	}
	status, err := parseHistory(text)
	return status, int64(len(completeLines(text))), err
}

// appendLine writes line at offset size, the end of the complete lines of f, with one
// write, and syncs it. On error it restores the file as far as it can. The caller holds
// the lock of the file, which is open with O_APPEND.
func appendLine(f *os.File, size int64, line string) error {
	err := writeLine(f, size, line)
	if err == nil {
		err = file.SyncData(f)
	}
	if err != nil {
		// After a failed sync the content is uncertain. Readers must not see a line
		// that was not acknowledged and may be lost.
		return errors.Join(err, f.Truncate(size))
	}
	return nil
}

// writeLine is appendLine without the sync, and without restoring the file.
func writeLine(f *os.File, size int64, line string) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() > size { // an interrupted write left it
		if err := f.Truncate(size); err != nil {
			return err
		}
	}
	_, err = f.WriteString(line)
	return err
}

// ended returns the record of the run after the change.
func (e *edit) ended() Record {
	status := e.status
	status.apply(e.change)
	return e.run.recordWith(status)
}

// isDriven reports whether a driver made the run active. That driver removes the run from
// live/ when it unlocks, since processes may remain until then; if it was killed,
// Reconcile does.
func (e *edit) isDriven() bool {
	return e.status.State == Active && e.run.wasDriven()
}

// finish makes the ends of runs known: in ended/, in the journal, and by removing them
// from live/. Notifications come only after that. The caller holds the locks of their
// histories, so no other process does the same.
func (s *Store) finish(edits ...*edit) error {
	ended := make([]Record, len(edits))
	for i, e := range edits {
		ended[i] = e.ended()
	}
	if err := s.noteEnds(ended...); err != nil {
		return err
	}
	var failures []error
	for _, e := range edits {
		if !e.isDriven() {
			failures = append(failures, s.unlink(e.run.ID))
		}
	}
	return errors.Join(failures...)
}

// noteEnds queues notifications of ends and adds their lines to the journal. It leaves live/
// alone.
func (s *Store) noteEnds(ended ...Record) error {
	if err := s.queueNotify(ended...); err != nil {
		return err
	}
	journal, err := file.OpenLocked(s.path("journal"))
	if err != nil {
		return err
	}
	defer journal.Close()
	return addToJournal(journal, ended)
}

// unlink removes the run from live/. If a power loss restores the link, Reconcile finds
// that the run has ended, and removes it again.
func (s *Store) unlink(id string) error {
	err := os.Remove(s.path("live", id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
