package runstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"quire/lib/file"
	"quire/lib/text"
)

// leftDir holds trees that could not be removed, because something is mounted in them or
// they hold other users' files. A tree of a run is left/ID, with a suffix if there are
// several. An entry may be a link to a tree that could not be moved either.
const leftDir = "left"

// RemoveTree removes the tree at path, which the run id created, as file.RemoveTree does.
// If something cannot be removed, the rest of the tree is moved to left/. The error names
// the leftovers and their new path; free says whether path is free nevertheless.
func (s *Store) RemoveTree(path, id string) (free bool, err error) {
	err = file.RemoveTree(path)
	if err == nil || !exists(path) {
		return true, nil
	}
	aside, free, moveErr := s.setAside(path, id)
	if moveErr != nil {
		return false, fmt.Errorf("%w; and it cannot be noted: %w", err, text.Cause(moveErr))
	}
	return free, fmt.Errorf("%w; what is left is in '%s'", err, aside)
}

// SetAside moves the tree at path, which cannot be removed, to left/.
func (s *Store) SetAside(path, id string) (aside string, err error) {
	aside, _, err = s.setAside(path, id)
	return aside, err
}

func (s *Store) setAside(path, id string) (aside string, moved bool, err error) {
	if err := os.Mkdir(s.path(leftDir), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", false, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", false, err
	}
	aside = s.path(leftDir, id)
	if exists(aside) {
		aside += "-" + NewID(time.Now())
	}
	if unix.Rename(path, aside) == nil {
		return aside, true, nil
	}
	return aside, false, os.Symlink(path, aside) // path is itself a mount point, or on another disk
}

// Left returns the paths of the run's trees that could not be removed.
func (r *Run) Left() ([]string, error) { return r.store.left(r.ID) }

// left returns the paths of the entries of left/ whose names begin with prefix.
func (s *Store) left(prefix string) (paths []string, err error) {
	entries, err := os.ReadDir(s.path(leftDir))
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			paths = append(paths, s.path(leftDir, e.Name()))
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return paths, err
}

// unremoved finds trees that could not be removed, and mount points in them.
func (c *checker) unremoved() error {
	paths, err := c.left("")
	for _, path := range paths {
		what := "could not be removed"
		tree, err := filepath.EvalSymlinks(path)
		if err != nil {
			tree = path // a link to a tree that is gone
		}
		if mounts, err := file.MountsBelow(tree); err == nil && len(mounts) > 0 {
			what += ": mounted is '" + strings.Join(mounts, "', '") + "'"
		}
		c.report(path, what, func() error {
			if tree != path {
				if err := file.RemoveTree(tree); err != nil {
					return err
				}
			}
			return file.RemoveTree(path)
		})
	}
	return err
}
