package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// There are two kinds of lock. Both end with the process that holds them, and both
// exclude goroutines of one process from each other.
//
//   - Lock takes a lock of an open file description (fcntl(2), F_OFD_SETLK). A process
//     can check whether it is held without taking it, so a command that reads a run never
//     makes its driver believe that the run has another driver. All locks of a root are
//     of this kind, except the locks of its pools of workspaces.
//   - Flock takes a lock of flock(2). Directories have only this kind. The locks of pools
//     and of quire/seen in a repository are of this kind because version 0.1.0 uses it,
//     and the two kinds do not exclude each other.

// ErrBusy is the error for a lock that another process holds.
var ErrBusy = errors.New("resource busy")

// An Access says whether several processes can hold a lock at the same time.
type Access int16

const (
	Shared    Access = unix.F_RDLCK // together with other shared locks; the file must be open for reading
	Exclusive Access = unix.F_WRLCK // alone; the file must be open for writing
)

// Lock waits for the lock of byte at of f and takes it. Closing f unlocks it.
func Lock(f *os.File, at int64, access Access) error {
	return setLock(f, unix.F_OFD_SETLKW, at, int16(access))
}

// LockContext is Lock until ctx ends, whose cause is then the error. The caller must then
// close f.
func LockContext(ctx context.Context, f *os.File, at int64, access Access) error {
	taken := make(chan error, 1)
	go func() { taken <- Lock(f, at, access) }()
	select {
	case err := <-taken:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// TryLock takes the lock of byte at of f. The error is ErrBusy if another process holds
// it. Closing f unlocks it.
func TryLock(f *os.File, at int64, access Access) error {
	return setLock(f, unix.F_OFD_SETLK, at, int16(access))
}

// Unlock unlocks byte at of f.
func Unlock(f *os.File, at int64) error { return setLock(f, unix.F_OFD_SETLK, at, unix.F_UNLCK) }

func setLock(f *os.File, cmd int, at int64, kind int16) error {
	l := unix.Flock_t{Type: kind, Whence: io.SeekStart, Start: at, Len: 1}
	return lockError(f, control(f, func(fd int) error { return unix.FcntlFlock(uintptr(fd), cmd, &l) }))
}

// Flock waits for the lock of flock(2) on f and takes it. Closing f unlocks it.
func Flock(f *os.File) error {
	return lockError(f, control(f, func(fd int) error { return unix.Flock(fd, unix.LOCK_EX) }))
}

// TryFlock takes the lock of flock(2) on f. The error is ErrBusy if another process
// holds it. Closing f unlocks it.
func TryFlock(f *os.File) error {
	return lockError(f, control(f, func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) }))
}

func lockError(f *os.File, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EACCES):
		return ErrBusy
	}
	return fmt.Errorf("cannot lock '%s': %w", f.Name(), err)
}

// Locked reports whether a process holds the exclusive lock of byte at of the file called
// name, without taking it. A file that does not exist is not locked.
func Locked(name string, at int64) (bool, error) {
	f, err := Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	// Asks whether a shared lock could be taken, which only an exclusive one prevents.
	l := unix.Flock_t{Type: unix.F_RDLCK, Whence: io.SeekStart, Start: at, Len: 1}
	if err := control(f, func(fd int) error { return unix.FcntlFlock(uintptr(fd), unix.F_OFD_GETLK, &l) }); err != nil {
		return false, fmt.Errorf("cannot check lock of '%s': %w", name, err)
	}
	return l.Type != unix.F_UNLCK, nil
}

// OpenLocked opens the file called name for reading and appending, waits for the
// exclusive lock of its first byte and takes it. If the file was replaced while it waited,
// it opens the new one.
func OpenLocked(name string) (*os.File, error) {
	return openLocked(name, 0, func(f *os.File) error { return Lock(f, 0, Exclusive) })
}

// OpenLockFile opens the file called name for reading and appending, and makes it if it is
// missing. It takes the lock of the first byte. It follows no link. If wait is false and another process holds the
// lock, the error is ErrBusy. If the file was removed while it waited, it makes another one.
func OpenLockFile(name string, access Access, wait bool) (*os.File, error) {
	return openLocked(name, os.O_CREATE|unix.O_NOFOLLOW, func(f *os.File) error {
		if wait {
			return Lock(f, 0, access)
		}
		return TryLock(f, 0, access)
	})
}

func openLocked(name string, flag int, lock func(*os.File) error) (*os.File, error) {
	for {
		f, err := OpenFile(name, os.O_RDWR|os.O_APPEND|flag, 0o600)
		if err != nil {
			return nil, err
		}
		same := false
		if err = lock(f); err == nil {
			same, err = isAt(f, name)
		}
		if same && err == nil {
			return f, nil
		}
		f.Close()
		if err != nil {
			return nil, err
		}
	}
}

// isAt reports whether name is still the open file f.
func isAt(f *os.File, name string) (bool, error) {
	opened, err := f.Stat()
	if err != nil {
		return false, err
	}
	named, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(opened, named), err
}

// control makes a call with the descriptor of f, and repeats it if a signal interrupts it.
// Another goroutine may close f during the call.
func control(f *os.File, call func(fd int) error) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Control(func(fd uintptr) {
		failed = Retry(func() error { return call(int(fd)) })
	})
	if err != nil {
		return err
	}
	return failed
}
