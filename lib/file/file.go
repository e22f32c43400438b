// Package file opens files and directories for commands that live for milliseconds.
//
// Package os offers every file that it opens to the runtime's poller, which the kernel
// refuses for a regular file. But the first offer makes the poller, and from then on
// the runtime's idle threads wait in it and have to be woken out of it: a tenth of the
// time of a command that reads two files. A file that is handed to os.NewFile is taken
// as it is.
package file

import (
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Open opens the file or directory called name for reading.
func Open(name string) (*os.File, error) { return OpenFile(name, os.O_RDONLY, 0) }

// OpenFile opens the file or directory called name as os.OpenFile does, with the same
// flags and errors. To wait for such a file, as for a FIFO, keeps a thread busy.
func OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	fd, err := open(unix.AT_FDCWD, name, flag, perm)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

// Read returns the whole content of the file called name, as os.ReadFile does.
func Read(name string) ([]byte, error) {
	f, err := Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// Write makes text the content of the file called name, which gets the mode perm where
// it is new, as os.WriteFile does.
func Write(name string, text []byte, perm fs.FileMode) error {
	return write(unix.AT_FDCWD, name, text, perm)
}

// write is Write below the directory that dir is open on.
func write(dir int, name string, text []byte, perm fs.FileMode) error {
	fd, err := open(dir, name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return &fs.PathError{Op: "open", Path: name, Err: err}
	}
	for err == nil && len(text) > 0 {
		var n int
		if n, err = unix.Write(fd, text); err == unix.EINTR {
			n, err = 0, nil
		}
		text = text[max(n, 0):]
	}
	if closed := unix.Close(fd); err == nil && closed != unix.EINTR {
		err = closed
	}
	if err != nil {
		return &fs.PathError{Op: "write", Path: name, Err: err}
	}
	return nil
}

// Sync makes files durable, or the names in directories. All files begin to be
// written before the first is waited for: the commit of the file system's journal that
// it waits for then has what the others need.
func Sync(paths ...string) error {
	var files []*os.File
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	for _, path := range paths {
		f, err := Open(path)
		if err != nil {
			return err
		}
		files = append(files, f)
		_ = unix.SyncFileRange(int(f.Fd()), 0, 0, unix.SYNC_FILE_RANGE_WRITE) // a hint
	}
	for _, f := range files {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return nil
}

// open is OpenFile below the directory that dir is open on, for a mere descriptor and with
// an error that names nothing.
func open(dir int, name string, flag int, perm fs.FileMode) (int, error) {
	for {
		fd, err := unix.Openat(dir, name, flag|unix.O_CLOEXEC|unix.O_LARGEFILE, uint32(perm.Perm()))
		if err != unix.EINTR {
			return fd, err
		}
	}
}
