package file

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// A Dir is an open directory. The kernel resolves its path once, however many files are made
// in it. Names may be paths into its subdirectories.
type Dir struct{ top *os.File }

// OpenDir returns the directory called name. The caller closes it.
func OpenDir(name string) (*Dir, error) {
	top, err := OpenFile(name, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	return &Dir{top}, nil
}

// Close frees the directory.
func (d *Dir) Close() error { return d.top.Close() }

// Mkdir makes a directory, as os.Mkdir does.
func (d *Dir) Mkdir(name string, perm fs.FileMode) error {
	return d.do("mkdir", name, func(at int) error { return unix.Mkdirat(at, name, uint32(perm.Perm())) })
}

// Symlink makes a symbolic link to target, as os.Symlink does.
func (d *Dir) Symlink(target, name string) error {
	return d.do("symlink", name, func(at int) error { return unix.Symlinkat(target, at, name) })
}

// Write is the function Write.
func (d *Dir) Write(name string, text []byte, perm fs.FileMode) error {
	return write(int(d.top.Fd()), name, text, perm)
}

// Rename moves name in d to other in to, as rename(2) does.
func (d *Dir) Rename(name string, to *Dir, other string) error {
	return d.do("rename", name, func(at int) error { return unix.Renameat(at, name, int(to.top.Fd()), other) })
}

// do makes a call with the descriptor of d, and repeats it if a signal interrupts it.
func (d *Dir) do(op, name string, call func(at int) error) error {
	if err := control(d.top, call); err != nil {
		return &fs.PathError{Op: op, Path: name, Err: err}
	}
	return nil
}
