package file

import (
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// A Tree gives access to the files below a directory. It follows no symbolic link, so every
// file it opens is in the directory, even if another process changes the directory.
type Tree struct{ top *os.File }

// OpenTree returns the tree below the directory dir, whose path may contain symbolic links.
// The caller closes it.
func OpenTree(dir string) (*Tree, error) {
	top, err := OpenFile(dir, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	return &Tree{top}, nil
}

// Close frees the tree. Files that were opened in it stay open.
func (t *Tree) Close() error { return t.top.Close() }

// Open opens the file called name for reading.
func (t *Tree) Open(name string) (fs.File, error) {
	f, err := t.open("open", name, os.O_RDONLY)
	if err != nil {
		return nil, err // not a nil *os.File in an fs.File
	}
	return f, nil
}

// Lstat returns the description of name, which may be a symbolic link.
func (t *Tree) Lstat(name string) (fs.FileInfo, error) {
	f, err := t.open("lstat", name, unix.O_PATH)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Stat()
}

// open opens name directory by directory. No directory may be a symbolic link.
func (t *Tree) open(op, name string, flag int) (*os.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	top := int(t.top.Fd())
	dir, rest := top, name
	for {
		part, below, more := strings.Cut(rest, "/")
		how := flag
		if more {
			how = unix.O_PATH | unix.O_DIRECTORY
		}
		fd, err := open(dir, part, how|unix.O_NOFOLLOW, 0)
		if dir != top {
			unix.Close(dir)
		}
		if err != nil {
			return nil, &fs.PathError{Op: op, Path: name, Err: err}
		}
		if !more {
			return os.NewFile(uintptr(fd), part), nil
		}
		dir, rest = fd, below
	}
}
