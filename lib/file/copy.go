package file

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Copy says what CopyTree copies.
type Copy struct {
	Links bool        // symbolic links as well as files and directories
	Skip  os.FileInfo // a directory to leave out; nil: none
	Most  int64       // bytes in all files together; 0: no bound
}

// ErrLarge says that a tree has more bytes than CopyTree may copy.
var ErrLarge = errors.New("the tree is too large")

// CopyTree copies the contents of the directory from into the directory to, which is empty,
// with modes and times of change. Files are cloned if the file system can, see
// ioctl_ficlonerange(2). Anything but files, directories and links is left out. A job may
// have made either tree: CopyTree follows no symbolic link and enters no other mount in
// them. It returns the size of all files in bytes. On an error, or if ctx ends, part of the
// copy is left.
func CopyTree(ctx context.Context, from, to *os.File, o Copy) (size int64, err error) {
	c := &copier{Copy: o, ctx: ctx, clone: true}
	err = c.directory(int(from.Fd()), int(to.Fd()), maxDepth)
	return c.size, err
}

type copier struct {
	Copy
	ctx   context.Context
	clone bool  // the file system may be able to
	size  int64 // of the files so far
}

// directory copies the entries of the open directory from into the open directory to.
func (c *copier) directory(from, to, depth int) error {
	if depth == 0 {
		return ErrDeep
	}
	names, err := namesIn(from)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		var st unix.Stat_t
		err := Retry(func() error { return unix.Fstatat(from, name, &st, unix.AT_SYMLINK_NOFOLLOW) })
		if err == nil {
			switch st.Mode & unix.S_IFMT {
			case unix.S_IFDIR:
				err = c.subdirectory(from, to, name, depth)
			case unix.S_IFREG:
				err = c.file(from, to, name)
			case unix.S_IFLNK:
				if c.Links {
					err = link(from, to, name, &st)
				}
			}
		}
		if errno, ok := err.(unix.Errno); ok {
			err = &fs.PathError{Op: "copy", Path: name, Err: errno}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *copier) subdirectory(from, to int, name string, depth int) error {
	in, err := OpenAt(from, name, unix.O_RDONLY|unix.O_DIRECTORY)
	if err == unix.EXDEV {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(in)
	var st unix.Stat_t
	if err := unix.Fstat(in, &st); err != nil || c.skips(&st) {
		return err
	}
	if err := unix.Mkdirat(to, name, 0o700); err != nil {
		return err
	}
	out, err := OpenAt(to, name, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer unix.Close(out)
	if err := c.directory(in, out, depth-1); err != nil {
		return err
	}
	return finish(out, to, name, &st)
}

// skips reports whether a directory is the one to leave out.
func (c *copier) skips(st *unix.Stat_t) bool {
	if c.Skip == nil {
		return false
	}
	skip, ok := c.Skip.Sys().(*syscall.Stat_t)
	return ok && skip.Dev == st.Dev && skip.Ino == st.Ino
}

func (c *copier) file(from, to int, name string) error {
	fd, err := OpenAt(from, name, unix.O_RDONLY|unix.O_NONBLOCK)
	if err != nil {
		return err
	}
	_ = unix.SetNonblock(fd, false) // if a FIFO has just replaced the file, open did not wait for it
	in := os.NewFile(uintptr(fd), name)
	defer in.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return err
	}
	if c.size += st.Size; c.Most > 0 && c.size > c.Most {
		return ErrLarge
	}
	copied, err := open(to, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	out := os.NewFile(uintptr(copied), name)
	defer out.Close()
	if c.clone && st.Size > 0 {
		if err := unix.IoctlFileClone(copied, fd); err == nil {
			return finish(copied, to, name, &st)
		}
		c.clone = false
	}
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return finish(copied, to, name, &st)
}

// link copies a symbolic link.
func link(from, to int, name string, st *unix.Stat_t) error {
	target := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(from, name, target)
	if err != nil {
		return err
	}
	if err := unix.Symlinkat(string(target[:n]), to, name); err != nil {
		return err
	}
	return setTimes(to, name, st)
}

// finish gives the file or directory name in the open directory at, which is open as fd,
// the permissions and the times of st.
func finish(fd, at int, name string, st *unix.Stat_t) error {
	if err := unix.Fchmod(fd, st.Mode&0o777); err != nil {
		return err
	}
	return setTimes(at, name, st)
}

func setTimes(at int, name string, st *unix.Stat_t) error {
	return unix.UtimesNanoAt(at, name, []unix.Timespec{st.Atim, st.Mtim}, unix.AT_SYMLINK_NOFOLLOW)
}
