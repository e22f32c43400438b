package runstore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Transition changes the state of the run, and returns when the change is on disk.
// Of several that ask at once, each is judged by the state the one before it left.
// A change that is not allowed is refused with a *StateError; on any error nothing
// has changed.
func (r *Run) Transition(c Change) error {
	if err := c.check(); err != nil {
		return fmt.Errorf("cannot change run %s: %w", r.ID, err)
	}
	if c.Time.IsZero() {
		c.Time = time.Now()
	}
	f, err := openLocked(filepath.Join(r.Dir, historyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot change run %s: %w", r.ID, ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("cannot change run %s: %w", r.ID, plain(err))
	}
	defer f.Close()
	status, size, err := readHistory(f)
	if err != nil {
		return fmt.Errorf("cannot read history of run %s: %w", r.ID, plain(err))
	}
	if !slices.Contains(next[status.State], c.State) || c.From != "" && c.From != status.State {
		return &StateError{r.ID, status.State, c.State}
	}
	if err := appendLine(f, size, formatChange(c)); err != nil {
		return fmt.Errorf("cannot change run %s: %w", r.ID, plain(err))
	}
	if c.State.Final() {
		status.apply(c)
		// The change is made. Where the rest fails, the link in live/ stays,
		// and reconciling does it again.
		_ = r.finish(status)
	}
	return nil
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
	if err == nil {
		err = syncData(f)
	}
	if err != nil {
		// What a failed sync left is not known. Readers must not see a line
		// that was not acknowledged and may be lost.
		return errors.Join(err, f.Truncate(size))
	}
	return nil
}

// syncData makes the content of a file durable, and its length.
func syncData(f *os.File) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}

// finish makes known that a run ended: in ended/, in the journal, and by removing it
// from live/, before which it is not told to anybody. The caller holds the lock of the
// history, so nobody else does so.
func (r *Run) finish(s Status) error {
	if err := r.announce(); err != nil {
		return err
	}
	if err := r.store.journalAdd(r.record(s)); err != nil {
		return err
	}
	return r.unlink()
}

// unlink removes the run from live/. Should a power loss bring the link back, it
// is found to be that of an ended run, and removed again.
func (r *Run) unlink() error {
	err := os.Remove(r.store.path("live", r.ID))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
