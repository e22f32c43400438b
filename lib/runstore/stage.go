package runstore

import (
	"errors"
	"os"
	"strings"
	"time"

	"quire/lib/file"
)

// A stage is the directory tmp/, opened to create or remove runs where readers do not see
// them. Processes that use it share a lock. Entries found while no process holds it are
// leftovers.
type stage struct {
	*file.Dir
	lock *os.File
}

// leftoverPrefix is the prefix of names in tmp/ that any process may delete. No id has it.
const leftoverPrefix = "waste-"

// stage opens the stage. The caller closes it.
func (s *Store) stage() (*stage, error) {
	f, err := s.lockStage(func(f *os.File) error { return file.Lock(f, 0, file.Shared) })
	if err != nil {
		return nil, err
	}
	dir, err := file.OpenDir(s.path("tmp"))
	if err != nil {
		f.Close()
		return nil, err
	}
	return &stage{dir, f}, nil
}

func (s *Store) lockStage(lock func(*os.File) error) (*os.File, error) {
	f, err := file.OpenFile(s.path("tmp", lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (st *stage) close() {
	st.Dir.Close()
	st.lock.Close()
}

// leftovers calls each for every entry of tmp/. While another process uses tmp/ it does
// nothing: that process's entries cannot be told from leftovers.
func (s *Store) leftovers(each func(name string) error) error {
	f, err := s.lockStage(func(f *os.File) error { return file.TryLock(f, 0, file.Exclusive) })
	if errors.Is(err, ErrBusy) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	entries, err := os.ReadDir(s.path("tmp"))
	for _, e := range entries {
		if err == nil && e.Name() != lockFile {
			err = each(e.Name())
		}
	}
	return err
}

// removeLeftovers removes what killed processes left in tmp/. While other processes use tmp/,
// it leaves that to the next call.
func (s *Store) removeLeftovers() error {
	err := s.leftovers(func(name string) error {
		if strings.HasPrefix(name, leftoverPrefix) {
			return nil
		}
		return os.Rename(s.path("tmp", name), s.path("tmp", leftoverPrefix+NewID(time.Now())))
	})
	if err != nil {
		return err
	}
	// Renaming took a moment. Deleting may take long, so it is done without the lock.
	entries, err := os.ReadDir(s.path("tmp"))
	if err != nil {
		return err
	}
	var failures []error
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), leftoverPrefix) {
			continue
		}
		if _, err := s.RemoveTree(s.path("tmp", e.Name()), e.Name()); err != nil {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}
