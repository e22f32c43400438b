package runstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"quire/lib/file"
	"quire/lib/text"
)

// OnEndDir is the directory of a root with the programs to notify of each run that has
// ended.
const OnEndDir = "on-end.d"

// queueNotify links runs that have ended in ended/, which queues them for notification. If
// OnEndDir is missing it does nothing.
func (s *Store) queueNotify(ended ...Record) error {
	if len(ended) == 0 || !exists(s.path(OnEndDir)) {
		return nil
	}
	dir := s.path("ended")
	switch err := os.Mkdir(dir, 0o700); {
	case err == nil:
		if err := file.Sync(s.root); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrExist):
		return err
	}
	for _, rec := range ended {
		err := os.Symlink(filepath.Join("..", "runs", rec.Repo, rec.ID), filepath.Join(dir, rec.ID))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return file.Sync(dir)
}

// afterEnd calls onEnd for runs that this process ended, unless each of them has a
// driver. The driver calls it when it unlocks; no notification is possible before. A
// failure does not undo the end: Reconcile repeats the call and reports it.
func (s *Store) afterEnd(runs ...*Run) {
	if s.onEnd == nil {
		return
	}
	for _, r := range runs {
		if driven, err := r.Driven(); err == nil && !driven {
			_ = s.onEnd(s)
			return
		}
	}
}

// PendingNotify returns the ended runs that are queued for notification, oldest first. It
// skips runs whose driver has not unlocked yet.
func (s *Store) PendingNotify() iter.Seq2[*Run, error] {
	return func(yield func(*Run, error) bool) {
		names, err := s.linkNames("ended")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			yield(nil, fmt.Errorf("cannot list ended runs of '%s': %w", s.root, text.Cause(err)))
			return
		}
		for _, id := range names {
			r, err := s.linkedRun("ended", id)
			if errors.Is(err, fs.ErrNotExist) { // another process notified of it, or it was removed by hand
				_ = os.Remove(s.path("ended", id))
				continue
			}
			if err == nil && s.inUse(r.Repo, id) {
				continue
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// Notified removes the run from the notification queue.
func (r *Run) Notified() error {
	if err := os.Remove(r.store.path("ended", r.ID)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot remove run %s from the queue of notifications: %w", r.ID, text.Cause(err))
	}
	return nil
}

// LockNotify takes the notifier's lock, and waits for it until ctx ends. ended/ must
// exist.
func (s *Store) LockNotify(ctx context.Context) (unlock func(), err error) {
	f, err := file.OpenFile(s.path("ended", lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot lock ended runs of '%s': %w", s.root, text.Cause(err))
	}
	if err := file.LockContext(ctx, f, 0, file.Exclusive); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// NotifyRunning reports whether a process holds the notifier's lock. After unlocking, that
// process reads ended/ again, so a run that ended before this call is not missed.
func (s *Store) NotifyRunning() (bool, error) { return file.Locked(s.path("ended", lockFile), 0) }

// Previous returns the record of the newest run before r of its repository and ref that
// ended complete or failed and was not skipped. If there is none, it returns the zero
// Record. It reads the journal from its end, no further than needed.
func (s *Store) Previous(r *Run) (Record, error) {
	var found Record
	same := []byte("\t" + text.Field(r.Repo) + "\t" + text.Field(r.Ref) + "\t")
	for l, err := range s.journalBackward() {
		if err != nil {
			return found, fmt.Errorf("cannot read journal of '%s': %w", s.root, text.Cause(err))
		}
		if found.ID != "" && string(newestOf(l.text)) <= found.ID {
			break
		}
		if !bytes.Contains(l.text, same) {
			continue
		}
		rec, err := parseRecord(string(l.text))
		if err == nil && rec.isVerdict() && found.ID < rec.ID && rec.ID < r.ID {
			found = rec
		}
	}
	return found, nil
}
