package runstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"quire/lib/file"
	"quire/lib/text"
)

// A Watcher reports changes to files (inotify(7)). A user may have a limited number of
// them, by default 128 at once. A further one looks every lookEvery instead.
type Watcher struct{ f *os.File } // nil: look from time to time

// lookEvery is the time between two looks of a Watcher without inotify(7).
const lookEvery = time.Second

// NewWatcher returns a watcher that watches nothing yet.
func NewWatcher() (*Watcher, error) { return newWatcher(unix.InotifyInit1) }

func newWatcher(inotifyInit func(int) (int, error)) (*Watcher, error) {
	fd, err := inotifyInit(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if errors.Is(err, unix.EMFILE) {
		return &Watcher{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot watch files: %w", err)
	}
	return &Watcher{os.NewFile(uintptr(fd), "inotify")}, nil
}

// Add watches a file for writes, or a directory for new names too. Adding the same path
// twice is harmless.
func (w *Watcher) Add(path string) error { return w.add(path, path) }

// AddFile is Add for an open file, even if its path has changed.
func (w *Watcher) AddFile(f *os.File) error {
	return w.add(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), f.Name())
}

func (w *Watcher) add(path, name string) error {
	if w.f == nil {
		_, err := os.Stat(path)
		return err
	}
	_, err := unix.InotifyAddWatch(int(w.f.Fd()), path, unix.IN_MODIFY|unix.IN_CREATE|unix.IN_MOVED_TO|unix.IN_DELETE_SELF)
	if errors.Is(err, unix.ENOSPC) { // too many files are watched already
		w.f.Close()
		w.f = nil
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot watch '%s': %w", name, err)
	}
	return nil
}

// Wait returns nil when something may have changed since the last Wait, or the error of
// ctx.
func (w *Watcher) Wait(ctx context.Context) error {
	if w.f == nil {
		select {
		case <-time.After(lookEvery):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	stop := context.AfterFunc(ctx, func() { w.f.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	// It does not matter which file changed: several events are one.
	buf := make([]byte, 64*(unsafe.Sizeof(unix.InotifyEvent{})+unix.NAME_MAX+1))
	if _, err := w.f.Read(buf); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("cannot watch files: %w", text.Cause(err))
	}
	return nil
}

// Close ends the watching.
func (w *Watcher) Close() error {
	if w.f == nil {
		return nil
	}
	return w.f.Close()
}

// AwaitBegin returns when the run is no longer pending, or ctx has ended.
func (r *Run) AwaitBegin(ctx context.Context) error {
	w, err := NewWatcher()
	if err != nil {
		return err
	}
	defer w.Close()
	if err := w.Add(filepath.Join(r.Dir, historyFile)); err != nil {
		return err
	}
	for {
		if state, err := lastState(r.Dir); err != nil || state != Pending {
			return err
		}
		if err := w.Wait(ctx); err != nil {
			return err
		}
	}
}

// AwaitEnd waits until the run has ended and the end is on disk, and returns its status.
func (r *Run) AwaitEnd(ctx context.Context) (Status, error) {
	w, err := NewWatcher()
	if err != nil {
		return Status{}, err
	}
	defer w.Close()
	return r.awaitEnd(ctx, w, func() {})
}

// awaitEnd is AwaitEnd with a watcher, which may watch other files, too. It calls woken
// whenever one of them has changed.
func (r *Run) awaitEnd(ctx context.Context, w *Watcher, woken func()) (Status, error) {
	if err := w.Add(filepath.Join(r.Dir, historyFile)); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return Status{}, r.gone(os.ErrNotExist)
		}
		return Status{}, err
	}
	for {
		s, err := r.settled()
		if err != nil || s.State.Final() {
			return s, err
		}
		if err := w.Wait(ctx); err != nil {
			return Status{}, err
		}
		woken()
	}
}

// settled returns the status of the run once it is certain to be on disk: a writer holds
// the lock until then.
func (r *Run) settled() (Status, error) {
	f, err := file.Open(filepath.Join(r.Dir, historyFile))
	if err != nil {
		return Status{}, r.gone(err)
	}
	defer f.Close()
	if err := file.Lock(f, 0, file.Shared); err != nil {
		return Status{}, err
	}
	return r.Status()
}

// ErrEnded is the cause of a driver's context if another process ended the run.
var ErrEnded = errors.New("another process ended it")

// Context returns a context that is cancelled, with the cause ErrEnded, when another
// process ends the run: it was cancelled or superseded. The driver then ends the run's
// processes and unlocks. The context also lets Begin notice that the root is paused.
func (d *Driver) Context(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		// Without a watcher no other process can end the run before it ends by itself;
		// that is no reason not to drive it.
		w, err := NewWatcher()
		if err != nil {
			return
		}
		defer w.Close()
		_ = w.Add(d.run.store.path("queue"))
		_, err = d.run.awaitEnd(ctx, w, func() {
			select {
			case d.woken <- struct{}{}:
			default:
			}
		})
		if err == nil || errors.Is(err, ErrNotFound) {
			cancel(ErrEnded)
		}
	}()
	return ctx, func() { cancel(nil) }
}
