package workspace

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"quire/lib/file"
	"quire/lib/text"
)

// A stage makes a workspace in a separate directory, the holder, which no other user may
// enter. The holder is next to the target, on the same file system, so that one rename
// publishes the tree. The process that makes the workspace locks the holder. If that process
// is killed, the next stage for the same target finds the holder unlocked and removes it.
//
// If the target cannot be replaced, because it is a mount point or the working directory,
// or if the directory above it is not writable, the holder is in the target, and the entries
// of the tree are published one by one. Only then can a kill leave a part of the tree.
type stage struct {
	target string
	info   os.FileInfo // of the target; nil if it does not exist
	parent string      // the directory above the target
	prefix string      // of the names of holders and of the saved index
	saved  string      // the directory of the saved index, see saved.go

	holder string
	tree   string // the new tree, in the holder
	inside bool
	lock   *os.File
	fresh  traits // of a new directory
	now    int64  // ctime of a file made now

	left     func(path string, err error) // called if a directory cannot be removed; nil: that is an error
	reported bool                         // left was called
}

// newStage returns a stage for dir. Open it before use.
func newStage(dir string, left func(string, error)) (*stage, error) {
	target, info, err := resolve(dir)
	if err != nil {
		return nil, err
	}
	parent, base := filepath.Dir(target), filepath.Base(target)
	if len(base) > 200 {
		base = base[:200] // leaves room for the rest of the name
	}
	prefix := "." + base + ".quire-"
	return &stage{target: target, info: info, parent: parent, prefix: prefix, saved: filepath.Join(parent, prefix+indexFile), left: left}, nil
}

// open makes the holder with an empty tree in it. With index it moves the saved index there.
// If the target is not empty and reuse is false, the error is errNotEmpty.
func (s *stage) open(reuse, index bool) error {
	if s.info != nil {
		if err := s.removeLeftovers(s.target); err != nil {
			return err
		}
		names, err := readNames(s.target)
		if err != nil {
			return err
		}
		if len(names) > 0 && !reuse {
			return errNotEmpty
		}
		s.inside = isMountPoint(s.target) || isWorkingDirectory(s.info)
	}
	var err error
	if !s.inside {
		if err := s.removeLeftovers(s.parent); err != nil {
			return err
		}
		err = s.makeHolder(s.parent)
		s.inside = s.info != nil && (errors.Is(err, unix.EACCES) || errors.Is(err, unix.EROFS))
	}
	if s.inside {
		err = s.makeHolder(s.target)
	}
	if err != nil {
		return err
	}
	if err := s.fill(reuse, index); err != nil {
		s.discard()
		return text.Cause(err)
	}
	return nil
}

// fill makes the index directory and the tree in the holder. It moves or removes the kept
// index, because the target is about to change.
func (s *stage) fill(reuse, index bool) error {
	if !index || unix.Rename(s.saved, s.path(indexFile)) != nil {
		if err := file.RemoveTree(s.saved); err != nil && !s.inside {
			return err
		}
		if err := os.Mkdir(s.path(indexFile), 0o700); err != nil {
			return err
		}
	}
	if err := s.makeTree("tree"); err != nil {
		return err
	}
	d, err := file.Open(s.tree)
	if err != nil {
		return err
	}
	fresh, st, err := traitsOf(int(d.Fd()))
	d.Close()
	s.fresh, s.now = fresh, st.Ctim.Nano()
	if err == nil && s.info != nil && !reuse { // the user chose the mode of an empty directory
		err = os.Chmod(s.tree, s.info.Mode().Perm())
	}
	return err
}

// makeTree makes an empty tree with that name in the holder.
func (s *stage) makeTree(name string) error {
	s.tree = s.path(name)
	return os.Mkdir(s.tree, 0o777)
}

// takeOver renames the target to the tree. Until the tree is published the target does not
// exist.
func (s *stage) takeOver(mode os.FileMode) error {
	// The owner needs all permissions to move and use it; a job may have removed them.
	if err := os.Chmod(s.target, mode|0o700); err != nil {
		return err
	}
	return rename(s.target, s.tree)
}

// throwAway removes the target, which takeOver may have renamed, and makes an empty tree.
func (s *stage) throwAway() error {
	if s.inside {
		return s.clearTarget()
	}
	if _, err := os.Lstat(s.target); s.info != nil && err == nil { // not taken over
		if err := s.takeOver(s.info.Mode().Perm()); err != nil {
			return err
		}
	}
	if err := file.RemoveTree(s.tree); err != nil {
		if s.left == nil {
			return err
		}
		s.reported = true
		s.left(s.tree, err)
	}
	return s.makeTree("new")
}

// resolve returns the absolute path of dir without a link at its end, and its file
// information, or nil if it does not exist.
func resolve(dir string) (string, os.FileInfo, error) {
	target, err := filepath.Abs(dir)
	if err != nil {
		return "", nil, err
	}
	info, err := os.Stat(target)
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Lstat(target); err == nil {
			return "", nil, errors.New("it is a dangling symbolic link")
		}
		return target, nil, nil
	}
	if err != nil {
		return "", nil, text.Cause(err)
	}
	if !info.IsDir() {
		return "", nil, errors.New("not a directory")
	}
	target, err = filepath.EvalSymlinks(target)
	return target, info, err
}

// makeHolder makes the holder in dir and locks it.
func (s *stage) makeHolder(dir string) error {
	for {
		holder, err := os.MkdirTemp(dir, s.prefix+"*")
		if err != nil {
			return fileError("write to directory", dir, text.Cause(err))
		}
		lock, err := lockHolder(holder)
		if err == nil {
			s.holder, s.lock = holder, lock
			return nil
		}
		// Another process may have removed it as a leftover before it was locked.
		if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, file.ErrBusy) {
			os.Remove(holder)
			return err
		}
	}
}

// lockHolder locks the holder at path. If another process has removed the holder, the error
// is os.ErrNotExist.
func lockHolder(path string) (*os.File, error) {
	f, err := os.OpenFile(path, unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	if err := file.TryFlock(f); err != nil {
		f.Close()
		return nil, err
	}
	locked, err := f.Stat()
	if err == nil {
		var named os.FileInfo
		if named, err = os.Lstat(path); err == nil && !os.SameFile(locked, named) {
			err = os.ErrNotExist
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// removeLeftovers removes the holders in dir whose processes are gone.
func (s *stage) removeLeftovers(dir string) error {
	names, err := readNames(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !strings.HasPrefix(name, s.prefix) || name == s.prefix+indexFile {
			continue
		}
		holder := filepath.Join(dir, name)
		lock, err := lockHolder(holder)
		if errors.Is(err, unix.ENOTDIR) { // a file of version 0.1.0
			os.Remove(holder)
		}
		if err != nil {
			continue // its process is alive, or another process removes it
		}
		err = file.RemoveTree(holder)
		lock.Close()
		if err != nil && s.left == nil {
			return fmt.Errorf("cannot remove leftovers of a killed process: %w", err)
		}
		if err != nil {
			s.left(holder, err)
		}
	}
	return nil
}

// path returns the path of name in the holder.
func (s *stage) path(name string) string { return filepath.Join(s.holder, name) }

// index returns the path of the index in the holder.
func (s *stage) index() string { return s.path(indexFile + "/" + indexFile) }

// publish moves the tree to the target.
func (s *stage) publish() error {
	if s.inside {
		return s.publishEntries()
	}
	err := rename(s.tree, s.target)
	if errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.EEXIST) {
		return errNotEmpty // another process was quicker
	}
	return err
}

// keepIndex moves the index next to the published target.
func (s *stage) keepIndex() error {
	if err := touchIndex(s.index()); err != nil {
		return err
	}
	return rename(s.path(indexFile), s.saved)
}

func (s *stage) publishEntries() error {
	names, err := readNames(s.tree)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := rename(filepath.Join(s.tree, name), filepath.Join(s.target, name)); err != nil {
			return errors.Join(err, s.clearTarget())
		}
	}
	return nil
}

// clearTarget removes everything in the target except the holder.
func (s *stage) clearTarget() error { return clearDirectory(s.target, filepath.Base(s.holder)) }

// clearDirectory removes everything in dir except the entry named except.
func clearDirectory(dir, except string) error {
	names, err := readNames(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if name == except {
			continue
		}
		if err := file.RemoveTree(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// writeError returns the error of a write in the holder, such as for a full disk, or nil.
// Git does not print it.
func (s *stage) writeError() error {
	return text.Cause(os.WriteFile(s.path("probe"), make([]byte, 64<<10), 0o600))
}

// discard removes the holder, with the tree if it was not published.
func (s *stage) discard() error {
	err := file.RemoveTree(s.holder)
	s.lock.Close()
	if err == nil || s.reported {
		return nil
	}
	if s.left == nil {
		return fmt.Errorf("cannot remove leftovers: %w", err)
	}
	s.left(s.holder, err)
	return nil
}

// isMountPoint reports whether dir is the root of a mount, even of another part of the same
// file system. It requires Linux 5.8.
func isMountPoint(dir string) bool {
	var st unix.Statx_t
	err := file.Retry(func() error { return unix.Statx(unix.AT_FDCWD, dir, 0, 0, &st) })
	return err == nil && st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
}

// isWorkingDirectory reports whether info describes the working directory. A shell in that
// directory would not see a new directory that replaces it.
func isWorkingDirectory(info os.FileInfo) bool {
	here, err := os.Stat(".")
	return err == nil && os.SameFile(here, info)
}

// rename is rename(2), which replaces an empty directory; os.Rename refuses to.
func rename(from, to string) error {
	if err := file.Retry(func() error { return unix.Rename(from, to) }); err != nil {
		return fileError("rename to", to, err)
	}
	return nil
}

func readNames(dir string) ([]string, error) {
	d, err := file.OpenFile(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, fileError("open directory", dir, text.Cause(err))
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

func fileError(verb, path string, err error) error {
	return fmt.Errorf("cannot %s '%s': %w", verb, shorten(path), err)
}
