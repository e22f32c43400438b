package runstore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"quire/lib/file"
	"quire/lib/text"
)

// Locks are those on open file descriptions (fcntl(2), F_OFD_SETLK). Like those of
// flock(2) they end with the process and stand between goroutines too; but they
// can be asked after without being taken, so that looking at a run never makes
// its driver believe that another one has it.

// ErrBusy says that a lock is held by somebody else.
var ErrBusy = errors.New("resource busy")

// What is locked is one byte of a file. That of most files is the first.
const (
	theLock     = 0
	waitingLock = 1 // of the file lock: the driver waits for its turn
)

// lock takes a lock of an open file. kind is unix.F_WRLCK, which needs a file
// open for writing, or unix.F_RDLCK, which needs one open for reading. Without
// wait it returns ErrBusy where others hold it. Closing the file gives it back.
func lock(f *os.File, which int64, kind int16, wait bool) error {
	cmd := unix.F_OFD_SETLK
	if wait {
		cmd = unix.F_OFD_SETLKW
	}
	for {
		l := unix.Flock_t{Type: kind, Whence: io.SeekStart, Start: which, Len: 1}
		switch err := control(f, cmd, &l); {
		case err == nil:
			return nil
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EACCES):
			return ErrBusy
		default:
			return fmt.Errorf("cannot lock '%s': %w", f.Name(), err)
		}
	}
}

// control calls fcntl(2) on a file that another goroutine may close meanwhile.
func control(f *os.File, cmd int, l *unix.Flock_t) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := conn.Control(func(fd uintptr) { failed = unix.FcntlFlock(fd, cmd, l) }); err != nil {
		return err
	}
	return failed
}

// locked reports whether anybody holds a lock of the file at path for writing,
// without taking it. A file that does not exist is not locked.
func locked(path string, which int64) (bool, error) {
	f, err := file.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	l := unix.Flock_t{Type: unix.F_RDLCK, Whence: io.SeekStart, Start: which, Len: 1}
	if err := control(f, unix.F_OFD_GETLK, &l); err != nil {
		return false, fmt.Errorf("cannot ask after lock of '%s': %w", path, err)
	}
	return l.Type != unix.F_UNLCK, nil
}

// openLocked opens the file at path for reading and writing and waits for its
// lock. A file that was replaced while it was waited for is opened anew.
func openLocked(path string) (*os.File, error) {
	for {
		f, err := file.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
		if err != nil {
			return nil, err
		}
		if err := lock(f, theLock, unix.F_WRLCK, true); err != nil {
			f.Close()
			return nil, err
		}
		same, err := isAt(f, path)
		if err == nil && same {
			return f, nil
		}
		f.Close()
		if err != nil {
			return nil, err
		}
	}
}

// isAt reports whether the open file is the one at path.
func isAt(f *os.File, path string) (bool, error) {
	mine, err := f.Stat()
	if err != nil {
		return false, err
	}
	there, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(mine, there), err
}

const lockFile = "lock"

// A Driver is the right to drive a run, which one process has at a time.
type Driver struct {
	run   *Run
	file  *os.File
	began bool // this driver started what runs for the run, and ends it before it unlocks
}

// Drive takes the lock of the run for its driver, who holds it from before the run
// becomes active until after it has ended, and then calls Unlock. ErrBusy says
// that another process drives the run, ErrNotFound that it was removed.
func (r *Run) Drive() (*Driver, error) {
	f, err := file.OpenFile(filepath.Join(r.Dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, r.gone(err)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot lock run %s: %w", r.ID, text.Cause(err))
	}
	if err := lock(f, theLock, unix.F_WRLCK, false); err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot lock run %s: %w", r.ID, err)
	}
	return &Driver{run: r, file: f}, nil
}

// Unlock ends the driving. If the run began and has ended, Unlock removes it from live/:
// no process of the run is left. If it has ended, the store's onEnd is called.
func (d *Driver) Unlock() {
	d.unlock()
	if d.run.store.onEnd == nil {
		return
	}
	if state, err := lastState(d.run.Dir); err == nil && state.Final() {
		_ = d.run.store.onEnd(d.run.store) // else reconciling does
	}
}

// unlock is Unlock without the call of onEnd.
func (d *Driver) unlock() {
	if d.began && exists(d.run.store.path("live", d.run.ID)) {
		_ = d.run.complete() // else reconciling does
	}
	d.file.Close()
}

// wasDriven reports whether the run has had a driver, whose lock is there since. What
// that started may be left until the link in live/ is gone.
func (r *Run) wasDriven() bool { return exists(filepath.Join(r.Dir, lockFile)) }

// Driven reports whether a process drives the run at this moment.
func (r *Run) Driven() (bool, error) {
	return locked(filepath.Join(r.Dir, lockFile), theLock)
}

// AwaitDriver returns once no process drives the run.
func (r *Run) AwaitDriver() error { return awaitLock(r.Dir, theLock) }

// awaitLock returns once nobody holds a lock of the run in dir.
func awaitLock(dir string, which int64) error {
	f, err := file.Open(filepath.Join(dir, lockFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return lock(f, which, unix.F_RDLCK, true)
}
