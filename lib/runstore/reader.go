package runstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"quire/lib/text"
)

// OpenReader returns the store below the directory root for a process that only reads:
// unlike Open it creates nothing. If the root has no records, the error is
// fs.ErrNotExist.
func OpenReader(root string) (*Store, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("cannot open root '%s': %w", root, err)
	}
	s := &Store{root: abs}
	for _, name := range []string{"runs", "live", "journal"} {
		if _, err := os.Stat(s.path(name)); err != nil {
			return nil, fmt.Errorf("cannot open root '%s': %w", root, text.Cause(err))
		}
	}
	return s, nil
}

// Run returns the run id of a repository. Unlike Find it reads no other run. The error is
// ErrNotFound if there is no such run, or if no run can have such names.
func (s *Store) Run(repo, id string) (*Run, error) {
	if CheckRepo(repo) != nil || !IsID(id) {
		return nil, ErrNotFound
	}
	r, err := s.open(s.runDir(repo, id))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ENAMETOOLONG):
		return nil, ErrNotFound
	case err != nil:
		return nil, fmt.Errorf("cannot read run %s: %w", id, text.Cause(err))
	}
	return r, nil
}
