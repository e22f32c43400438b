package runstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"quire/lib/file"
)

// many is from how many runs on syncing the whole file system once is preferred
// to syncing each file: what others have written is then waited for too.
const many = 16

// Create records new pending runs, and returns when all of them are on disk and
// visible. Facts without an id get a new one, ascending in the order given. On an
// error none of them is there. A run that is killed half-way may leave some of the
// runs, whole and pending, that were never acknowledged.
func (s *Store) Create(facts ...Facts) ([]*Run, error) {
	runs, err := s.newRuns(facts)
	if err == nil && len(runs) > 0 {
		err = s.create(runs)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot create run in '%s': %w", s.root, plain(err))
	}
	return runs, nil
}

// newRuns completes the facts, and checks them.
func (s *Store) newRuns(facts []Facts) ([]*Run, error) {
	now := time.Now()
	runs := make([]*Run, len(facts))
	for i, f := range facts {
		if f.ID == "" {
			f.ID = NewID(now)
		}
		if f.PushedAt.IsZero() {
			f.PushedAt = now
		}
		if err := f.check(); err != nil {
			return nil, err
		}
		runs[i] = &Run{Facts: f, Dir: s.runDir(f.Repo, f.ID), store: s}
	}
	return runs, nil
}

// create follows the steps that quire-run(5) gives under "Durability".
func (s *Store) create(runs []*Run) (err error) {
	st, err := s.stage()
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			s.undo(st, runs)
		}
		_ = st.remove()
	}()
	now := time.Now()
	for _, r := range runs {
		if err := s.put(st, r, now); err != nil {
			return err
		}
	}
	if err := s.syncNew(st, runs, s.path("live")); err != nil {
		return err
	}
	for _, r := range runs {
		if err := os.Rename(st.path(r.ID), r.Dir); err != nil {
			return err
		}
	}
	return s.syncNew(nil, runs, "")
}

// put writes the run into the stage, and links it.
func (s *Store) put(st *stage, r *Run, now time.Time) error {
	if err := os.MkdirAll(filepath.Dir(r.Dir), 0o700); err != nil {
		return err
	}
	dir := st.path(r.ID)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	text, err := formatFacts(r.Facts)
	if err != nil {
		return err
	}
	if err := file.Write(filepath.Join(dir, factsFile), text, 0o600); err != nil {
		return err
	}
	first := formatChange(Change{State: Pending, Time: now})
	if err := file.Write(filepath.Join(dir, historyFile), []byte(first), 0o600); err != nil {
		return err
	}
	return os.Symlink(filepath.Join("..", "runs", r.Repo, r.ID), s.path("live", r.ID))
}

// syncNew makes durable either what was staged, with the links, or, without a
// stage, the names of the runs in the directories of their repositories.
func (s *Store) syncNew(st *stage, runs []*Run, links string) error {
	if len(runs) >= many {
		return s.syncAll()
	}
	if st == nil {
		return s.syncRepos(runs)
	}
	paths := []string{links}
	for _, r := range runs {
		dir := st.path(r.ID)
		paths = append(paths, filepath.Join(dir, factsFile), filepath.Join(dir, historyFile), dir)
	}
	return file.Sync(paths...)
}

// syncAll makes all of the root's file system durable.
func (s *Store) syncAll() error {
	root, err := file.Open(s.root)
	if err != nil {
		return err
	}
	defer root.Close()
	return os.NewSyscallError("syncfs", unix.Syncfs(int(root.Fd())))
}

// syncRepos makes durable the names in the directories of the runs' repositories,
// and those of the directories themselves: whoever made one may not have come to
// syncing it yet.
func (s *Store) syncRepos(runs []*Run) error {
	top := s.path("runs")
	var dirs []string
	for _, r := range runs {
		for dir := filepath.Dir(r.Dir); !slices.Contains(dirs, dir); dir = filepath.Dir(dir) {
			dirs = append(dirs, dir)
			if dir == top {
				break
			}
		}
	}
	return file.Sync(dirs...)
}

// undo takes back what create did, as far as it came: first out of sight, then the
// links, so that no run that can be seen is without one.
func (s *Store) undo(st *stage, runs []*Run) {
	for _, r := range runs {
		err := os.Rename(r.Dir, st.path(r.ID))
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			_ = s.unlink(r.ID)
		}
	}
}
