// Package runstore stores runs in text files, so that no acknowledged run is lost, whatever
// is killed or fails at any moment. It knows nothing of Git or of pipelines. The
// format, and the order of writes that makes it safe, is described in quire-run(5).
package runstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"quire/lib/file"
	"quire/lib/text"
)

// A Store has the runs below one root directory. It keeps no file open. Any number of
// goroutines and other processes may use it at once.
type Store struct {
	root  string // absolute
	onEnd func(*Store) error
}

// Open returns the store below the directory root, which must exist, and creates missing
// files. A root that cannot be written can still be read if it holds a store.
//
// The store calls onEnd after each end of a run, in the process that ended it or, if the
// run has a driver, in the driver when it unlocks. Several ends at once may be one call.
// Reconcile and a repairing Check call it too, which makes up for a call that failed or
// was never made. nil is for a process that must notify nothing.
func Open(root string, onEnd func(*Store) error) (*Store, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("cannot open root '%s': %w", root, err)
	}
	s := &Store{root: abs, onEnd: onEnd}
	if err := s.prepare(); err != nil {
		return nil, fmt.Errorf("cannot open root '%s': %w", root, text.Cause(err))
	}
	return s, nil
}

func (s *Store) prepare() error {
	switch info, err := os.Stat(s.root); {
	case err != nil:
		return err
	case !info.IsDir():
		return unix.ENOTDIR
	}
	made := false
	for _, name := range []string{"runs", "live", "tmp"} {
		switch err := os.Mkdir(s.path(name), 0o700); {
		case err == nil:
			made = true
		case !errors.Is(err, fs.ErrExist) && !isDir(s.path(name)):
			return err
		}
	}
	for _, name := range []string{"journal", "queue"} {
		switch f, err := file.OpenFile(s.path(name), os.O_CREATE|os.O_EXCL, 0o600); {
		case err == nil:
			made = true
			f.Close()
		case !errors.Is(err, fs.ErrExist) && !exists(s.path(name)):
			return err
		}
	}
	if !made {
		return nil
	}
	return file.Sync(s.root)
}

// Root returns the root directory, as an absolute path.
func (s *Store) Root() string { return s.root }

func (s *Store) path(elem ...string) string {
	return filepath.Join(append([]string{s.root}, elem...)...)
}

// runDir returns the path of a run's directory.
func (s *Store) runDir(repo, id string) string { return s.path("runs", repo, id) }

// A Run is one recorded run: its facts, and its directory.
type Run struct {
	Facts
	Dir   string // absolute
	store *Store
}

// open returns the run whose directory is dir.
func (s *Store) open(dir string) (*Run, error) {
	facts, err := readFacts(filepath.Join(dir, factsFile))
	if err != nil {
		return nil, err
	}
	return &Run{Facts: facts, Dir: dir, store: s}, nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// CheckRepo returns an error unless name can be the name of a repository, see
// quire-run(5).
func CheckRepo(name string) error {
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "", part == ".", part == "..", len(part) > 255, strings.ContainsRune(part, 0):
			return fmt.Errorf("not a name of a repository: '%s'", text.Escape(name))
		case IsID(part):
			return fmt.Errorf("not a name of a repository: '%s': '%s' is in the form of a run's id", text.Escape(name), part)
		}
	}
	return nil
}
