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

// Transition changes the state of the run, and returns when the change is on disk.
// Of several that ask at once, each is judged by the state the one before it left.
// A change that is not allowed is refused with a *StateError; on any error nothing
// has changed.
func (r *Run) Transition(c Change) error {
	err := r.transition(c)
	if err == nil && c.State.Final() {
		r.store.afterEnd(r)
	}
	return err
}

// transition is Transition without the call of onEnd.
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
		// The change is made. Where the rest fails, the link in live/ stays,
		// and reconciling does it again.
		_ = r.store.finish(e)
	}
	return nil
}

// An edit is a change of a run that is allowed, with the lock of its history.
type edit struct {
	run    *Run
	change Change
	file   *os.File // the history; closing it gives the lock back
	size   int64    // of its whole lines
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

// readHistory returns the status in an open history, and where its whole lines end.
func readHistory(f *os.File) (Status, int64, error) {
	text, err := io.ReadAll(f)
	if err != nil {
		return Status{}, 0, err
	}
	status, err := parseHistory(text)
	return status, int64(len(whole(text))), err
}

// appendLine writes line at offset size, where the whole lines of f end, with one
// write, and syncs it. On an error the file is as it was, as far as can be done.
// The caller holds the lock of the file, which is open with O_APPEND.
func appendLine(f *os.File, size int64, line string) error {
	err := writeLine(f, size, line)
	if err == nil {
		err = file.SyncData(f)
	}
	if err != nil {
		// What a failed sync left is not known. Readers must not see a line
		// that was not acknowledged and may be lost.
		return errors.Join(err, f.Truncate(size))
	}
	return nil
}

// writeLine is appendLine without the sync, and without taking anything back.
func writeLine(f *os.File, size int64, line string) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() > size { // left by a write that was interrupted
		if err := f.Truncate(size); err != nil {
			return err
		}
	}
	_, err = f.WriteString(line)
	return err
}

// ended returns the record of the run as the change makes it.
func (e *edit) ended() Record {
	status := e.status
	status.apply(e.change)
	return e.run.record(status)
}

// isDriven reports whether the run was made active by a driver, which is the one to take
// it out of live/, when it lets go: until then processes of the run may be left. Of a
// driver that was killed that is for reconciling.
func (e *edit) isDriven() bool {
	return e.status.State == Active && e.run.wasDriven()
}

// finish makes known that runs ended: in ended/, in the journal, and by removing them
// from live/, before which they are not told to anybody. The caller holds the locks of
// their histories, so nobody else does so.
func (s *Store) finish(edits ...*edit) error {
	ended := make([]Record, len(edits))
	for i, e := range edits {
		ended[i] = e.ended()
	}
	if err := s.record(ended...); err != nil {
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

// record makes known that runs ended but for live/.
func (s *Store) record(ended ...Record) error {
	if err := s.announce(ended...); err != nil {
		return err
	}
	return s.journalAdd(ended...)
}

// unlink removes the run from live/. Should a power loss bring the link back, it
// is found to be that of an ended run, and removed again.
func (s *Store) unlink(id string) error {
	err := os.Remove(s.path("live", id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
