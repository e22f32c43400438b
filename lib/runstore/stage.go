package runstore

import (
	"errors"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"quire/lib/file"
)

// A stage is tmp/, in which runs are made and removed, out of sight, for as long as it
// is open. Whoever is at work there shares a lock; what is there when nobody is, is
// waste.
type stage struct {
	*file.Dir
	lock *os.File
}

// waste begins the names in tmp/ of what anybody may delete. No id does.
const waste = "waste-"

// stage opens the stage. The caller closes it.
func (s *Store) stage() (*stage, error) {
	f, err := s.lockStage(unix.F_RDLCK, true) // who has it alone has it for a moment
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

func (s *Store) lockStage(kind int16, wait bool) (*os.File, error) {
	f, err := file.OpenFile(s.path("tmp", lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lock(f, theLock, kind, wait); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (st *stage) close() {
	st.Dir.Close()
	st.lock.Close()
}

// staged reports whether the run id is being made or removed.
func (s *Store) staged(id string) bool { return exists(s.path("tmp", id)) }

// leftovers calls each for what is in tmp/, unless somebody is at work there: nobody can
// tell then what is theirs.
func (s *Store) leftovers(each func(name string) error) error {
	f, err := s.lockStage(unix.F_WRLCK, false)
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

// sweep removes what was being made or removed by processes that are no more. While
// others are at work it leaves that to the next one.
func (s *Store) sweep() error {
	err := s.leftovers(func(name string) error {
		if strings.HasPrefix(name, waste) {
			return nil
		}
		return os.Rename(s.path("tmp", name), s.path("tmp", waste+NewID(time.Now())))
	})
	if err != nil {
		return err
	}
	// That took a moment. To delete it may take long, and nobody has to wait.
	entries, err := os.ReadDir(s.path("tmp"))
	if err != nil {
		return err
	}
	var failures []error
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), waste) {
			continue
		}
		path := s.path("tmp", e.Name())
		if err := RemoveTree(path); err != nil && exists(path) { // and no other did
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}
