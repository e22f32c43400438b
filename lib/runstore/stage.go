package runstore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"quire/lib/file"
)

// A stage is a directory below tmp/ in which runs are made or removed, out of
// sight. Its lock says that somebody is at work there.
type stage struct {
	dir  string
	lock *os.File
}

// stage makes a new stage. Between making its directory and locking it another
// process may take it for waste and remove it; then the next one is tried.
func (s *Store) stage() (*stage, error) {
	for {
		dir := s.path("tmp", NewID(time.Now()))
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, err
		}
		st, err := lockStage(dir, os.O_CREATE)
		if err == nil {
			return st, nil
		}
		if !errors.Is(err, ErrBusy) && !errors.Is(err, fs.ErrNotExist) {
			os.RemoveAll(dir)
			return nil, err
		}
	}
}

// lockStage takes the lock of the stage in dir, and makes its file when create is
// os.O_CREATE. The error is ErrBusy where it is somebody's, and fs.ErrNotExist
// where it has been removed.
func lockStage(dir string, create int) (*stage, error) {
	path := filepath.Join(dir, lockFile)
	f, err := file.OpenFile(path, os.O_RDWR|create, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lock(f, theLock, unix.F_WRLCK, false); err != nil {
		f.Close()
		return nil, err
	}
	if same, err := isAt(f, path); err != nil || !same {
		f.Close()
		return nil, errors.Join(err, fs.ErrNotExist)
	}
	return &stage{dir, f}, nil
}

func (st *stage) path(id string) string { return filepath.Join(st.dir, id) }

// remove deletes the stage and what is in it, last its lock: a stage without one is
// empty. What cannot be deleted now is waste for sweep.
func (st *stage) remove() error {
	defer st.lock.Close()
	entries, err := os.ReadDir(st.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != lockFile {
			if err := RemoveTree(st.path(e.Name())); err != nil {
				return err
			}
		}
	}
	if err := os.Remove(st.lock.Name()); err != nil {
		return err
	}
	return removeEmpty(st.dir)
}

// removeEmpty deletes dir, unless somebody is using or has deleted it.
func removeEmpty(dir string) error {
	err := os.Remove(dir)
	if errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// sweep removes the stages of processes that are no more.
func (s *Store) sweep() error {
	entries, err := os.ReadDir(s.path("tmp"))
	if err != nil {
		return err
	}
	var failures []error
	for _, e := range entries {
		dir := s.path("tmp", e.Name())
		st, err := lockStage(dir, 0)
		switch {
		case err == nil:
			failures = append(failures, st.remove())
		case errors.Is(err, fs.ErrNotExist):
			failures = append(failures, removeEmpty(dir))
		case !errors.Is(err, ErrBusy):
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// staged reports whether any stage holds the run id.
func (s *Store) staged(id string) bool {
	found, err := filepath.Glob(s.path("tmp", "*", id))
	return err != nil || len(found) > 0
}
