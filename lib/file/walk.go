package file

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// maxDepth is how many directories Walk and CopyTree enter below each other. Each level
// has descriptors open, and a process may have only so many.
const maxDepth = 500

// ErrDeep says that the directories of a tree are nested too deep to be read.
var ErrDeep = errors.New("directories are nested deeper than 500")

// An Entry is a file or directory that Walk found.
type Entry struct {
	Path string // relative to the directory that is walked, with slashes
	Size int64  // length in bytes
	Disk int64  // bytes that it takes on the disk
	Mode fs.FileMode

	at int // descriptor of the directory that it is in
}

// MakeReadable lets the owner read the entry, which is a file or a directory, and enter a
// directory.
func (e *Entry) MakeReadable() error {
	want := fs.FileMode(0o400)
	if e.Mode.IsDir() {
		want = 0o500
	}
	if e.Mode&want == want {
		return nil
	}
	return ChmodAt(e.at, path.Base(e.Path), uint32((e.Mode | want).Perm()))
}

// Remove removes the entry and everything below it as RemoveTree does. If the directory that
// it is in cannot be written, Remove makes it writable for that time.
func (e *Entry) Remove() error {
	err := RemoveAt(e.at, path.Base(e.Path), e.Path)
	var st unix.Stat_t
	if !errors.Is(err, fs.ErrPermission) || unix.Fstat(e.at, &st) != nil || unix.Fchmod(e.at, st.Mode&0o777|0o200) != nil {
		return err
	}
	err = RemoveAt(e.at, path.Base(e.Path), e.Path)
	return errors.Join(err, unix.Fchmod(e.at, st.Mode&0o777))
}

// Walk calls visit for each entry below the open directory top, in the order of their
// names, and for a directory before its entries. A job may have made the tree: Walk follows
// no symbolic link, opens nothing but directories, and skips other mounts. It stops at the
// first error, which visit may return.
func Walk(top *os.File, visit func(*Entry) error) error {
	return walk(int(top.Fd()), "", maxDepth, visit)
}

func walk(dir int, above string, depth int, visit func(*Entry) error) error {
	if depth == 0 {
		return ErrDeep
	}
	names, err := namesIn(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		var st unix.Stat_t
		err := Retry(func() error { return unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW) })
		if err == unix.ENOENT {
			continue
		}
		full := path.Join(above, name)
		if err != nil {
			return &fs.PathError{Op: "stat", Path: full, Err: err}
		}
		err = visit(&Entry{Path: full, Size: st.Size, Disk: st.Blocks * 512, Mode: modeOf(st.Mode), at: dir})
		if err != nil {
			return err
		}
		if st.Mode&unix.S_IFMT != unix.S_IFDIR {
			continue
		}
		fd, err := OpenAt(dir, name, unix.O_RDONLY|unix.O_DIRECTORY)
		switch err {
		case nil:
			err = walk(fd, full, depth-1, visit)
			unix.Close(fd)
			if err != nil {
				return err
			}
		case unix.ENOENT, unix.ENOTDIR, unix.ELOOP, unix.EXDEV: // removed, replaced, or another mount
		default:
			return &fs.PathError{Op: "open", Path: full, Err: err}
		}
	}
	return nil
}

// DiskSize returns how many bytes of disk space the entries below the directory path take. It
// finds path below the directory top as OpenBelow does. If repair is true, it makes
// directories readable that are not.
func DiskSize(top, path string, repair bool) (size uint64, err error) {
	name, err := filepath.Rel(top, path)
	if err != nil {
		return 0, err
	}
	dir, err := OpenBelow(top, filepath.ToSlash(name))
	if err != nil {
		return 0, err
	}
	defer dir.Close()
	err = Walk(dir, func(e *Entry) error {
		size += uint64(e.Disk)
		if repair && e.Mode.IsDir() {
			return e.MakeReadable()
		}
		return nil
	})
	return size, err
}

// modeOf returns the type and the permissions of an st_mode.
func modeOf(mode uint32) fs.FileMode {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return fs.FileMode(mode & 0o777)
	case unix.S_IFDIR:
		return fs.FileMode(mode&0o777) | fs.ModeDir
	case unix.S_IFLNK:
		return fs.ModeSymlink
	}
	return fs.ModeIrregular
}

// namesIn returns the names in the open directory dir, sorted.
func namesIn(dir int) ([]string, error) {
	var names []string
	buffer := make([]byte, 16<<10)
	for {
		var n int
		err := Retry(func() (err error) { n, err = unix.ReadDirent(dir, buffer); return err })
		if err != nil {
			return nil, os.NewSyscallError("getdents", err)
		}
		if n == 0 {
			slices.Sort(names)
			return names, nil
		}
		_, _, names = unix.ParseDirent(buffer[:n], -1, names)
	}
}

// OpenBelow opens the directory at the path name, with slashes, below dir, for reading. No
// part of name may be a symbolic link or on another mount, since a job may have made it.
// The directory dir is trusted and may be behind links.
func OpenBelow(dir, name string) (*os.File, error) {
	top, err := OpenFile(dir, unix.O_PATH|unix.O_DIRECTORY, 0)
	for part := range strings.SplitSeq(name, "/") {
		if err != nil {
			return nil, err
		}
		fd, failed := OpenAt(int(top.Fd()), part, unix.O_RDONLY|unix.O_DIRECTORY)
		top.Close()
		if top, err = os.NewFile(uintptr(fd), name), nil; failed != nil {
			err = &fs.PathError{Op: "open", Path: dir + "/" + name, Err: failed}
		}
	}
	return top, err
}
