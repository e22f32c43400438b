// Package file opens, writes, replaces, locks and syncs files and directories. Other
// packages do not make these system calls themselves.
//
// Files are opened without package os, which adds each one to the runtime's poller. The
// kernel refuses regular files, but the first attempt creates the poller. From then on idle
// threads of the runtime wait in it and must be woken, which takes a tenth of the time of a
// command that reads two files.
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
// flags and errors. Waiting for the file, for example a FIFO, occupies a thread.
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

// ReadEnd returns at most most bytes from the end of the file f, and reports whether these
// are all of it.
func ReadEnd(f *os.File, most int64) (data []byte, all bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return nil, false, err
	}
	from := max(0, info.Size()-most)
	data, err = io.ReadAll(io.NewSectionReader(f, from, most))
	return data, from == 0, err
}

// open is openat(2): it returns a descriptor and the bare errno.
func open(dir int, name string, flag int, perm fs.FileMode) (int, error) {
	fd := -1
	err := Retry(func() (err error) {
		fd, err = unix.Openat(dir, name, flag|unix.O_CLOEXEC|unix.O_LARGEFILE, uint32(perm.Perm()))
		return err
	})
	return fd, err
}
