package workspace

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// An fd is an open directory. Files are reached through one, by names relative
// to it: nobody who renames or links something on the way to the workspace can
// lead the work elsewhere, and paths may be as long as git's.
//
// os.Root does the same, at the price of opening each directory of each path anew.
type fd int

const atCwd fd = unix.AT_FDCWD

// openDir opens the directory at path, which must not itself be a link.
func openDir(at fd, path string) (fd, error) {
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	var n int
	err := retry(func() (err error) {
		n, err = unix.Openat(int(at), path, flags, 0)
		return err
	})
	if err != nil {
		return -1, fileError("open directory", path, err)
	}
	return fd(n), nil
}

func (d fd) close() { unix.Close(int(d)) }

// lstat is fstatat(2) without following a link.
func (d fd) lstat(name string) (st unix.Stat_t, err error) {
	err = retry(func() error { return unix.Fstatat(int(d), name, &st, unix.AT_SYMLINK_NOFOLLOW) })
	if err != nil {
		return st, fileError("look at", name, err)
	}
	return st, nil
}

// names lists the directory, in no order.
func (d fd) names() ([]string, error) { return d.list(make([]byte, 16<<10)) }

// list is names with a buffer to read into, for those who list many.
func (d fd) list(buffer []byte) ([]string, error) {
	if _, err := unix.Seek(int(d), 0, io.SeekStart); err != nil {
		return nil, err
	}
	var names []string
	for {
		var n int
		err := retry(func() (err error) {
			n, err = unix.ReadDirent(int(d), buffer)
			return err
		})
		if err != nil || n == 0 {
			return names, err
		}
		_, _, names = unix.ParseDirent(buffer[:n], -1, names)
	}
}

// removeAll removes name in d with everything below it, also what is in
// directories that may not be written. It follows no link. What is not there is no
// error.
func (d fd) removeAll(name string) error {
	err := unix.Unlinkat(int(d), name, 0)
	if err == nil || err == unix.ENOENT {
		return nil
	}
	if err != unix.EISDIR && err != unix.EPERM { // POSIX has EPERM for a directory
		return fileError("remove", name, err)
	}
	dir, err := openDir(d, name)
	if errors.Is(err, unix.EACCES) {
		if err := d.chmod(name, 0o700); err != nil {
			return fileError("remove", name, err)
		}
		dir, err = openDir(d, name)
	}
	if err != nil {
		return err
	}
	err = dir.removeEntries()
	dir.close()
	if err != nil {
		return fmt.Errorf("in '%s': %w", shorten(name), err)
	}
	if err := unix.Unlinkat(int(d), name, unix.AT_REMOVEDIR); err != nil {
		return fileError("remove", name, err)
	}
	return nil
}

// chmod changes the mode of the directory name in d, and of nothing that a link
// leads to: fchmodat(2) follows links, and its flag against that is new in Linux 6.6.
func (d fd) chmod(name string, perm uint32) error {
	n, err := unix.Openat(int(d), name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(n)
	return unix.Chmod(fmt.Sprintf("/proc/self/fd/%d", n), perm)
}

// removeEntries removes all that is in d.
func (d fd) removeEntries() error {
	names, err := d.names()
	if err != nil || len(names) == 0 {
		return err
	}
	unix.Fchmod(int(d), 0o700) // if it fails, so may the removal, which then says why
	for _, name := range names {
		if err := d.removeAll(name); err != nil {
			return err
		}
	}
	return nil
}

// removePath removes what is at path, as removeAll does.
func removePath(path string) error {
	parent, err := openDir(atCwd, filepath.Dir(path))
	if err != nil {
		return err
	}
	defer parent.close()
	return parent.removeAll(filepath.Base(path))
}

// retry calls f again as long as a signal interrupts it: Go's own preempt
// goroutines, and slow file systems let system calls be interrupted.
func retry(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}

func fileError(verb, path string, err error) error {
	return fmt.Errorf("cannot %s '%s': %w", verb, shorten(path), err)
}
