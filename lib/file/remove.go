package file

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A leftError lists paths that RemoveTree could not remove, and the reasons.
type leftError struct {
	paths []string
	errs  []error
	more  bool // some are not listed
}

// maxLeft is how many paths a leftError lists.
const maxLeft = 5

func (e *leftError) Error() string {
	var b strings.Builder
	for i, path := range e.paths {
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "cannot remove '%s': %v", path, e.errs[i])
	}
	if e.more {
		b.WriteString("; and others")
	}
	return b.String()
}

// Unwrap returns the reasons.
func (e *leftError) Unwrap() []error { return e.errs }

// errMounted is the reason for a directory or file that is a mount point.
var errMounted = errors.New("it is a mount point")

// RemoveTree removes path, if it exists, and everything below it. A job may have written
// the tree, so RemoveTree follows no symbolic link and enters no other mount, not even of
// the same file system. It makes directories writable if needed, and removes directories
// whose paths are longer than PATH_MAX. It removes as much as it can. The error is a
// *leftError that names the rest.
//
// The directories above path are trusted.
func RemoveTree(path string) error {
	path = filepath.Clean(path)
	parent, err := OpenFile(filepath.Dir(path), unix.O_PATH|unix.O_DIRECTORY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer parent.Close()
	return RemoveAt(int(parent.Fd()), filepath.Base(path), path)
}

// RemoveAt is like RemoveTree, for name in the open directory dir. Errors call it path.
func RemoveAt(dir int, name, path string) error {
	r := &remover{top: -1, moved: map[string]string{}}
	r.remove(dir, name, path, 0)
	if len(r.left.paths) > 0 {
		return &r.left
	}
	return nil
}

// A remover removes one tree.
type remover struct {
	top   int               // descriptor of the directory at the top
	moved map[string]string // original paths of directories that were moved to the top
	left  leftError
}

// maxOpen is how many directories are open at once. Deeper ones are moved to the top.
const maxOpen = 32

// remove removes name in the directory dir, and reports whether it is gone.
func (r *remover) remove(dir int, name, path string, depth int) bool {
	err := Retry(func() error { return unix.Unlinkat(dir, name, 0) })
	switch err {
	case nil, unix.ENOENT:
		return true
	case unix.EISDIR:
		err = r.removeDir(dir, name, path, depth)
	}
	if err != nil && err != unix.ENOENT {
		r.leave(path, err)
	}
	return err == nil || err == unix.ENOENT
}

// errInside says that a directory is not empty because of a path that remover.left names.
var errInside = errors.New("not empty")

func (r *remover) removeDir(dir int, name, path string, depth int) error {
	if depth == maxOpen {
		unique := ".quire-" + strconv.FormatUint(rand.Uint64(), 36) // a job cannot have chosen it
		if err := unix.Renameat(dir, name, r.top, unique); err != nil {
			return err
		}
		r.moved[unique] = path
		return nil
	}
	fd, err := openForRemoval(dir, name)
	if err != nil {
		return err
	}
	d := os.NewFile(uintptr(fd), name)
	if depth == 0 {
		r.top = fd
	}
	empty, err := r.removeEntries(d, path, depth+1)
	d.Close()
	switch {
	case err != nil:
		return err
	case !empty:
		return errInside
	}
	return Retry(func() error { return unix.Unlinkat(dir, name, unix.AT_REMOVEDIR) })
}

// removeEntries removes everything in d. It reads the directory again until nothing more can
// be removed: some file systems skip names while others are being removed, and deep
// directories are moved to the top.
func (r *remover) removeEntries(d *os.File, path string, depth int) (empty bool, err error) {
	for {
		gone, left := 0, 0
		for {
			names, err := d.Readdirnames(1024)
			for _, name := range names {
				full, moved := r.moved[name]
				if !moved || depth > 1 {
					full = path + "/" + name
				}
				if r.remove(int(d.Fd()), name, full, depth) {
					gone++
				} else {
					left++
				}
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				return false, errors.Unwrap(err)
			}
		}
		if gone == 0 {
			return left == 0, nil
		}
		if _, err := d.Seek(0, io.SeekStart); err != nil {
			return false, errors.Unwrap(err)
		}
	}
}

// leave adds path, which cannot be removed, to r.left, unless it is there already.
func (r *remover) leave(path string, err error) {
	switch {
	case err == errInside:
		return
	case err == unix.EXDEV || err == unix.EBUSY:
		err = errMounted
	}
	if slices.Contains(r.left.paths, path) {
		return
	}
	if len(r.left.paths) == maxLeft {
		r.left.more = true
		return
	}
	const longest = 400
	if len(path) > longest {
		path = path[:longest] + "..."
	}
	r.left.paths, r.left.errs = append(r.left.paths, path), append(r.left.errs, err)
}

// openForRemoval opens a directory that may be unreadable, and makes it writable.
func openForRemoval(dir int, name string) (int, error) {
	fd, err := OpenAt(dir, name, unix.O_RDONLY|unix.O_DIRECTORY)
	if err == unix.EACCES && ChmodAt(dir, name, 0o700) == nil {
		fd, err = OpenAt(dir, name, unix.O_RDONLY|unix.O_DIRECTORY)
	}
	if err != nil {
		return -1, err
	}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) == nil && st.Mode&0o700 != 0o700 {
		_ = unix.Fchmod(fd, 0o700) // if it fails, the removal fails
	}
	return fd, nil
}

// OpenAt opens name, one component, in the open directory dir. It follows no symbolic
// link (ELOOP) and enters no other mount (EXDEV), not even one of the same file system.
// The error is an errno.
func OpenAt(dir int, name string, flags int) (fd int, err error) {
	flags |= unix.O_NOFOLLOW | unix.O_CLOEXEC
	how := unix.OpenHow{Flags: uint64(flags), Resolve: unix.RESOLVE_NO_XDEV | unix.RESOLVE_NO_SYMLINKS}
	err = Retry(func() error {
		fd, err = unix.Openat2(dir, name, &how)
		return err
	})
	if err != unix.ENOSYS && err != unix.EPERM {
		return fd, err
	}
	// Linux before 5.6, or a sandbox that does not know the call.
	err = Retry(func() error {
		fd, err = unix.Openat(dir, name, flags, 0)
		return err
	})
	if err == nil && mountID(fd) != mountID(dir) {
		unix.Close(fd)
		return -1, unix.EXDEV
	}
	return fd, err
}

// mountID returns the mount of the open file fd, see proc_pid_fdinfo(5), or "" if unknown.
func mountID(fd int) string {
	text, _ := Read("/proc/self/fdinfo/" + strconv.Itoa(fd))
	_, id, _ := strings.Cut(string(text), "mnt_id:")
	id, _, _ = strings.Cut(id, "\n")
	return strings.TrimSpace(id)
}

// ChmodAt changes the mode of the file or directory name in the open directory dir. Unlike
// fchmodat(2) before Linux 6.6, it follows no symbolic link.
func ChmodAt(dir int, name string, perm uint32) error {
	fd, err := OpenAt(dir, name, unix.O_PATH)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Chmod("/proc/self/fd/"+strconv.Itoa(fd), perm)
}

// MountsBelow returns the mount points below the directory dir, and dir itself if it is one,
// from this process's /proc/self/mountinfo.
func MountsBelow(dir string) ([]string, error) {
	real, err := filepath.EvalSymlinks(dir)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return nil, err
	}
	text, err := Read("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var points []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		point := UnescapeMount(fields[4])
		if point == real || strings.HasPrefix(point, real+"/") {
			points = append(points, point)
		}
	}
	return points, nil
}

// UnescapeMount decodes a path in /proc/PID/mountinfo, see proc_pid_mountinfo(5).
var UnescapeMount = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace

// Retry repeats f until no signal interrupts it.
func Retry(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}
