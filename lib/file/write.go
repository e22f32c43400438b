package file

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Write makes data the content of the file called name, like os.WriteFile. A new file gets
// the mode perm. A reader may see a part of the data; see Replace.
func Write(name string, data []byte, perm fs.FileMode) error {
	return write(unix.AT_FDCWD, name, data, perm)
}

// write is like Write, for name in the open directory dir.
func write(dir int, name string, data []byte, perm fs.FileMode) error {
	fd, err := open(dir, name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return &fs.PathError{Op: "open", Path: name, Err: err}
	}
	for err == nil && len(data) > 0 {
		var n int
		if n, err = unix.Write(fd, data); err == unix.EINTR {
			n, err = 0, nil
		}
		data = data[max(n, 0):]
	}
	if closed := unix.Close(fd); err == nil && closed != unix.EINTR {
		err = closed
	}
	if err != nil {
		return &fs.PathError{Op: "write", Path: name, Err: err}
	}
	return nil
}

// Replace creates or replaces the file called name and returns when the new content is
// on disk. Every reader sees the old content or the whole new one, even after a crash.
//
// write writes the new content into a file called temporary, whose mode is perm without the
// umask. temporary must be on the file system of name, and only the caller may use it. If a
// killed process left it, it is replaced.
func Replace(name, temporary string, perm fs.FileMode, write func(f *os.File) error) error {
	err := ReplaceUnsynced(name, temporary, perm, func(f *os.File) error {
		if err := write(f); err != nil {
			return err
		}
		return f.Sync()
	})
	if err != nil {
		return err
	}
	return Sync(filepath.Dir(name))
}

// ReplaceUnsynced is like Replace, but the new content may be lost if the machine crashes.
func ReplaceUnsynced(name, temporary string, perm fs.FileMode, write func(f *os.File) error) (err error) {
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return err
	}
	if err = errors.Join(write(f), f.Close()); err == nil {
		err = os.Rename(temporary, name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return nil
}

// Nameless returns a file without a name that contains data; reading begins at its start. It
// is in memory and disappears with its last descriptor. Unlike a pipe it holds any amount of
// data, so its writer never waits for a reader. label appears only in /proc.
func Nameless(label string, data []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate(label, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), label)
	if _, err := f.WriteAt(data, 0); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Reserve returns a nameless file on the file system of dir that occupies size bytes on the
// disk until it is closed.
func Reserve(dir string, size int64) (*os.File, error) {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: err}
	}
	f := os.NewFile(uintptr(fd), dir)
	if err := unix.Fallocate(fd, 0, 0, size); err != nil {
		f.Close()
		return nil, os.NewSyscallError("fallocate", err)
	}
	return f, nil
}

// Inherit keeps f open across execve(2), with the same descriptor number.
func Inherit(f *os.File) error {
	_, err := unix.FcntlInt(f.Fd(), unix.F_SETFD, 0)
	return os.NewSyscallError("fcntl", err)
}
