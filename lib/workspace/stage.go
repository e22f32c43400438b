package workspace

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	qfile "quire/lib/file" // file is a type here
)

// A stage is where a workspace is made: a directory of its own, the holder, which
// nobody else may enter, with the tree in it. The holder is beside the target, on
// the same file system, so that one rename publishes the tree. Its maker holds a
// lock on it for as long as it lives, by which a holder that was left behind by a
// killed process is known: the next stage for the same target removes it.
//
// Where the target cannot be replaced, being a mount point or the working
// directory of who asks, or nothing can be made beside it, the holder is in it, and
// the entries of the tree are published one by one: then, and only then, can a
// kill leave a part of the tree.
type stage struct {
	target string
	info   os.FileInfo // of what was there; nil for nothing
	reuse  bool        // whether that becomes the tree
	holder string
	tree   string // where the tree is made, in the holder
	inside bool
	lock   *os.File
	record string         // file beside the target that proves what is in it, see record.go
	old    func() *record // what was in that
}

// newStage returns a stage for dir, which is to be opened. With reuse, it begins to
// read the record.
func newStage(dir string, reuse bool) (*stage, error) {
	target, info, err := resolve(dir)
	if err != nil {
		return nil, err
	}
	parent, prefix := beside(target)
	s := &stage{target: target, info: info, reuse: reuse, record: filepath.Join(parent, prefix+"record")}
	s.old = func() *record { return &record{} }
	if reuse {
		s.old = sync.OnceValue(func() *record { return loadRecord(s.record) })
		go s.old() // it is needed in a moment
	}
	return s, nil
}

// open makes the holder and the tree in it. The target must be absent or empty unless
// the stage is to reuse what is there: then that becomes the tree.
func (s *stage) open() error {
	parent, prefix := beside(s.target)
	if s.info != nil {
		if err := removeLeftovers(s.target, prefix); err != nil {
			return err
		}
		names, err := readNames(s.target)
		if err != nil {
			return err
		}
		if len(names) > 0 && !s.reuse {
			return ErrNotEmpty
		}
		s.inside = isMountPoint(s.target) || isWorkingDirectory(s.info)
	}
	var err error
	if !s.inside {
		if err := removeLeftovers(parent, prefix); err != nil {
			return err
		}
		err = s.makeHolder(parent, prefix)
		s.inside = s.info != nil && (errors.Is(err, unix.EACCES) || errors.Is(err, unix.EROFS))
	}
	if s.inside {
		err = s.makeHolder(s.target, prefix)
	}
	if err != nil {
		return err
	}
	if err := s.takeOver(); err != nil {
		s.discard()
		return err
	}
	return nil
}

// beside returns the directory above target, and how the names begin of what is
// put there for it.
func beside(target string) (parent, prefix string) {
	parent, base := filepath.Dir(target), filepath.Base(target)
	if len(base) > 200 {
		base = base[:200] // room for what is put around it
	}
	return parent, "." + base + ".quire-"
}

// resolve returns the absolute path of dir with no link at its end, and what is
// there, nil for nothing.
func resolve(dir string) (string, os.FileInfo, error) {
	target, err := filepath.Abs(dir)
	if err != nil {
		return "", nil, err
	}
	info, err := os.Stat(target)
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Lstat(target); err == nil {
			return "", nil, errors.New("it is a link to nothing")
		}
		return target, nil, nil
	}
	if err != nil {
		return "", nil, unwrapPath(err)
	}
	if !info.IsDir() {
		return "", nil, errors.New("not a directory")
	}
	target, err = filepath.EvalSymlinks(target)
	return target, info, err
}

// takeOver makes the stage's tree: a new directory, or, with reuse, the target
// itself, which from then on is gone until it is published again.
func (s *stage) takeOver() error {
	spread(s.lock)
	s.tree = s.path("tree" + filepath.Base(s.holder)) // by its name it is spread
	if s.info != nil && s.reuse && !s.inside {
		// Moving a directory and working in it need this; a job may have taken it away.
		if err := os.Chmod(s.target, s.info.Mode().Perm()|0o700); err != nil {
			return unwrapPath(err)
		}
		return unwrapPath(rename(s.target, s.tree))
	}
	if s.info != nil && s.reuse {
		if err := s.clearTarget(); err != nil {
			return err
		}
	}
	if err := os.Mkdir(s.tree, 0o777); err != nil {
		return unwrapPath(err)
	}
	if s.info != nil { // an empty directory that somebody made has the mode they want
		return unwrapPath(os.Chmod(s.tree, s.info.Mode().Perm()))
	}
	return nil
}

// makeHolder makes the holder in dir and locks it.
func (s *stage) makeHolder(dir, prefix string) error {
	for {
		holder, err := os.MkdirTemp(dir, prefix+"*")
		if err != nil {
			return fileError("write to directory", dir, unwrapPath(err))
		}
		lock, err := lockHolder(holder)
		if err == nil {
			s.holder, s.lock = holder, lock
			return nil
		}
		// Somebody who removes leftovers may take it for one before it is locked.
		if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, qfile.ErrBusy) {
			os.Remove(holder)
			return err
		}
	}
}

// lockHolder takes the lock of the holder at path, which must still be there then.
func lockHolder(path string) (*os.File, error) {
	f, err := os.OpenFile(path, unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	if err := qfile.TryFlock(f); err != nil {
		f.Close()
		return nil, err
	}
	locked, err := f.Stat()
	if err == nil {
		var there os.FileInfo
		if there, err = os.Lstat(path); err == nil && !os.SameFile(locked, there) {
			err = os.ErrNotExist
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// removeLeftovers removes the holders in dir whose makers are gone.
func removeLeftovers(dir, prefix string) error {
	names, err := readNames(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !strings.HasPrefix(name, prefix) || name == prefix+"record" {
			continue
		}
		holder := filepath.Join(dir, name)
		lock, err := lockHolder(holder)
		if err != nil {
			continue // alive, or removed by somebody else
		}
		err = removePath(holder)
		lock.Close()
		if err != nil {
			return fmt.Errorf("cannot remove what a killed process left: %w", err)
		}
	}
	return nil
}

// path returns the path of name in the holder.
func (s *stage) path(name string) string { return filepath.Join(s.holder, name) }

// publish puts the tree at the target.
func (s *stage) publish() error {
	if s.inside {
		return s.publishEntries()
	}
	os.Remove(s.record) // it is of an earlier tree
	err := rename(s.tree, s.target)
	if errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.EEXIST) {
		return ErrNotEmpty // since it was looked at
	}
	if err != nil {
		return err
	}
	// Without the record all contents are read to be sure, and no more than that.
	if err := unix.Rename(s.path("record"), s.record); err != nil && err != unix.ENOENT {
		return fileError("write", s.record, err)
	}
	return nil
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

// clearTarget removes all that is in the target but the holder.
func (s *stage) clearTarget() error {
	target, err := openDir(atCwd, s.target)
	if err != nil {
		return err
	}
	defer target.close()
	names, err := target.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		if name == filepath.Base(s.holder) {
			continue
		}
		if err := target.removeAll(name); err != nil {
			return err
		}
	}
	return nil
}

// discard removes the holder, with the tree where it was not published.
func (s *stage) discard() error {
	err := removePath(s.holder)
	s.lock.Close()
	return err
}

// isMountPoint reports whether dir is the root of a mount, also of one that shows
// another part of the same file system. It takes Linux 5.8.
func isMountPoint(dir string) bool {
	var st unix.Statx_t
	err := retry(func() error { return unix.Statx(unix.AT_FDCWD, dir, 0, 0, &st) })
	return err == nil && st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0
}

// isWorkingDirectory reports whether info is of the directory one is in: whoever
// is in it, too, would see nothing of another one that takes its name.
func isWorkingDirectory(info os.FileInfo) bool {
	here, err := os.Stat(".")
	return err == nil && os.SameFile(here, info)
}

// rename is rename(2), which replaces an empty directory; os.Rename refuses to.
func rename(from, to string) error {
	if err := retry(func() error { return unix.Rename(from, to) }); err != nil {
		return fileError("rename to", to, err)
	}
	return nil
}

func readNames(dir string) ([]string, error) {
	d, err := openDir(atCwd, dir)
	if err != nil {
		return nil, err
	}
	defer d.close()
	return d.names()
}

// unwrapPath leaves out the path of an error whose words name it already.
func unwrapPath(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}

// dirPerm returns the mode that a directory of the tree is made with here, which
// the umask or the parent's access list decide.
func (s *stage) dirPerm() (uint32, error) {
	probe := s.path("probe")
	if err := os.Mkdir(probe, 0o777); err != nil {
		return 0, err
	}
	var st unix.Stat_t
	if err := unix.Lstat(probe, &st); err != nil {
		return 0, errors.Join(err, os.Remove(probe))
	}
	return st.Mode & 0o7777, os.Remove(probe)
}
