package runstore

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"quire/lib/file"
	"quire/lib/text"
)

// From syncAllFrom runs on, one syncfs(2) replaces an fsync(2) per file. It also waits
// for the writes of other programs.
const syncAllFrom = 16

// Create records new pending runs, and returns when all of them are on disk and visible.
// Facts without an id get a new one, ascending in the order given. On error none of the
// runs exists. If the process is killed half-way, some complete pending runs may remain
// that were never acknowledged.
//
// A run that is Skipped has ended: as failed, reason cancelled, with its Note. No program
// is notified of its end. If the process is killed half-way, its journal line may be
// missing; Check finds that.
func (s *Store) Create(facts ...Facts) ([]*Run, error) {
	runs, err := s.newRuns(facts)
	if err == nil && len(runs) > 0 {
		err = s.create(runs)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot create run in '%s': %w", s.root, text.Cause(err))
	}
	return runs, nil
}

// newRuns completes the facts, and checks them.
func (s *Store) newRuns(facts []Facts) ([]*Run, error) {
	now := time.Now()
	without := 0
	for _, f := range facts {
		if f.ID == "" {
			without++
		}
	}
	ids, err := s.NewIDs(without)
	if err != nil {
		return nil, err
	}
	runs := make([]*Run, len(facts))
	for i, f := range facts {
		if f.ID == "" {
			f.ID, ids = ids[0], ids[1:]
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

// NewIDs returns n ids, ascending, and greater than the ids of all runs. It is for a caller
// that must hold the places of its runs before it calls Create.
func (s *Store) NewIDs(n int) ([]string, error) {
	now := time.Now()
	newest, err := s.newestID()
	if err != nil {
		return nil, err
	}
	ids := make([]string, n)
	for i := range ids {
		ids[i] = newIDAfter(newest, now)
	}
	return ids, nil
}

// newestID returns the greatest id in live/ and in the journal, "" if there is none.
func (s *Store) newestID() (string, error) {
	names, err := s.liveNames()
	if err != nil {
		return "", err
	}
	f, _, err := s.openJournal()
	if err != nil {
		return "", err
	}
	defer f.Close()
	last, _, err := lastLine(f)
	newest := string(newestOf(last))
	if len(names) > 0 {
		newest = max(newest, names[len(names)-1])
	}
	return newest, err
}

// create follows the steps that quire-run(5) gives under "Durability".
func (s *Store) create(runs []*Run) (err error) {
	m := &maker{store: s, repos: map[string]*file.Dir{}, now: time.Now(), linked: make([]bool, len(runs))}
	var skipped []*Run
	for _, r := range runs {
		if r.Skipped {
			skipped = append(skipped, r)
		}
	}
	defer m.close()
	if err := m.open(runs); err != nil {
		return err
	}
	named := 0 // how many runs have their names
	defer func() {
		if err != nil {
			m.undo(runs, named)
		}
	}()
	for i, r := range runs {
		if err := m.put(i, r); err != nil {
			return err
		}
	}
	if err := s.syncStaged(runs); err != nil {
		return err
	}
	var journal *os.File
	if len(skipped) > 0 { // before the runs are visible: no other process can repair the journal until it is written
		if journal, err = file.OpenLocked(s.path("journal")); err != nil {
			return err
		}
		defer journal.Close()
	}
	for _, r := range runs {
		if err := m.stage.Rename(r.ID, m.repos[r.Repo], r.ID); err != nil {
			return err
		}
		named++
	}
	if err := s.syncNames(runs); err != nil || len(skipped) == 0 {
		return err
	}
	records := make([]Record, len(skipped))
	for i, r := range skipped {
		status, err := parseHistory([]byte(m.history(r)))
		if err != nil {
			return err
		}
		records[i] = r.recordWith(status)
	}
	return addToJournal(journal, records)
}

// A maker creates runs. It holds the directories for them open.
type maker struct {
	store  *Store
	stage  *stage
	live   *file.Dir
	repos  map[string]*file.Dir
	now    time.Time
	linked []bool // the runs with a link in live/, by index
}

// history returns the history of a new run.
func (m *maker) history(r *Run) string {
	lines := formatChange(Change{State: Pending, Time: m.now})
	if r.Skipped {
		lines += formatChange(Change{State: Failed, Reason: "cancelled", Note: r.Note, Time: m.now})
	}
	return lines
}

func (m *maker) open(runs []*Run) (err error) {
	if m.stage, err = m.store.stage(); err != nil {
		return err
	}
	if m.live, err = file.OpenDir(m.store.path("live")); err != nil {
		return err
	}
	for _, r := range runs {
		if m.repos[r.Repo] != nil {
			continue
		}
		dir := filepath.Dir(r.Dir)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		if m.repos[r.Repo], err = file.OpenDir(dir); err != nil {
			return err
		}
	}
	return nil
}

func (m *maker) close() {
	for _, dir := range m.repos {
		if dir != nil {
			dir.Close()
		}
	}
	if m.live != nil {
		m.live.Close()
	}
	if m.stage != nil {
		m.stage.close()
	}
}

// put writes the run into the stage, and links it in live/ unless it has ended.
func (m *maker) put(i int, r *Run) error {
	if err := m.stage.Mkdir(r.ID, 0o700); err != nil {
		return err
	}
	text, err := formatFacts(r.Facts)
	if err != nil {
		return err
	}
	if err := m.stage.Write(r.ID+"/"+factsFile, text, 0o600); err != nil {
		return err
	}
	if err := m.stage.Write(r.ID+"/"+historyFile, []byte(m.history(r)), 0o600); err != nil || r.Skipped {
		return err
	}
	err = m.live.Symlink(filepath.Join("..", "runs", r.Repo, r.ID), r.ID)
	m.linked[i] = err == nil
	return err
}

// undo removes the runs again: first the directory, then its link, so that every visible
// run has a link. removeLeftovers removes the rest later.
func (m *maker) undo(runs []*Run, named int) {
	for i, r := range runs {
		hidden := i >= named || m.repos[r.Repo].Rename(r.ID, m.stage.Dir, r.ID) == nil
		if hidden && m.linked[i] {
			_ = m.store.unlink(r.ID)
		}
		_ = file.RemoveTree(m.store.path("tmp", r.ID))
	}
}

// syncStaged syncs the staged runs and their links.
func (s *Store) syncStaged(runs []*Run) error {
	if len(runs) >= syncAllFrom {
		return file.SyncAll(s.root)
	}
	paths := []string{s.path("live")}
	for _, r := range runs {
		dir := s.path("tmp", r.ID)
		paths = append(paths, filepath.Join(dir, factsFile), filepath.Join(dir, historyFile), dir)
	}
	return file.Sync(paths...)
}

// syncNames syncs the directories of the runs' repositories, and the names of these
// directories: the process that created one may not have synced it yet.
func (s *Store) syncNames(runs []*Run) error {
	if len(runs) >= syncAllFrom {
		return file.SyncAll(s.root)
	}
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
