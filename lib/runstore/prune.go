package runstore

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"quire/lib/file"
	"quire/lib/text"
)

// A Prune says which ended runs to remove: the runs that match all its fields.
type Prune struct {
	Keep   func(repo string) int // how many of the newest runs of a repository stay; nil: none
	Before time.Time             // only runs that ended before; zero: any
	States []State               // only runs in one of these states; none: any
}

// Prunable returns the runs that p names, newest first. The newest runs of a repository
// are the last to end, whatever their ids: a run whose id is dated in the future is no
// newer than runs that ended after it. It never returns the newest complete and the
// newest failed run of each ref, nor a run that has not ended, whose driver still works,
// or whose end is still queued for notification.
func (s *Store) Prunable(p Prune) ([]Record, error) {
	type result struct {
		repo, ref string
		state     State
	}
	have := map[result]bool{}
	count := map[string]int{}
	var found []Record
	for l, err := range s.journalBackward() {
		if err != nil {
			return nil, fmt.Errorf("cannot read journal of '%s': %w", s.root, text.Cause(err))
		}
		r, err := parseRecord(string(l.text))
		if err != nil {
			continue
		}
		count[r.Repo]++
		last := result{r.Repo, r.Ref, r.State}
		isLast := r.isVerdict() && !have[last]
		have[last] = have[last] || isLast
		switch {
		case isLast,
			p.Keep != nil && count[r.Repo] <= p.Keep(r.Repo),
			!p.Before.IsZero() && !r.Finished.Before(p.Before),
			len(p.States) > 0 && !slices.Contains(p.States, r.Shown()),
			s.inUse(r.Repo, r.ID), exists(s.path("ended", r.ID)):
			continue
		}
		found = append(found, r)
	}
	slices.SortFunc(found, func(a, b Record) int { return strings.Compare(b.ID, a.ID) })
	return found, nil
}

// inUse reports whether an ended run still has a driver or is in live/.
func (s *Store) inUse(repo, id string) bool {
	held, err := file.Locked(filepath.Join(s.runDir(repo, id), lockFile), driverByte)
	return held || err != nil || exists(s.path("live", id))
}

// Remove removes ended runs: their directories, and their lines in the journal. It calls
// removed for each after its removal. If one cannot be removed, the others are removed
// nevertheless, and the error names each such run and the file. If this process is killed
// half-way, it leaves lines without a directory, which the next call removes, and
// leftovers in tmp/.
func (s *Store) Remove(records []Record, removed func(Record)) error {
	if len(records) == 0 {
		return nil
	}
	st, err := s.stage()
	if err != nil {
		return s.cannotRemove(err)
	}
	defer st.close()
	var failures []error
	moved := make(map[string]bool, len(records))
	repos := map[string]bool{}
	for _, r := range records {
		dir := s.runDir(r.Repo, r.ID)
		err := os.Rename(dir, s.path("tmp", r.ID))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			failures = append(failures, fmt.Errorf("cannot remove run %s: cannot move '%s': %w", r.ID, dir, text.Cause(err)))
			continue
		}
		moved[r.ID] = true
		repos[r.Repo] = true
	}
	for repo := range repos {
		if err := file.Sync(s.path("runs", repo)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s.cannotRemove(errors.Join(append(failures, err)...))
		}
	}
	if err := s.rewriteJournal(func(r Record) bool { return !moved[r.ID] }, nil); err != nil {
		failures = append(failures, s.cannotRemove(err))
	}
	for _, r := range records {
		if !moved[r.ID] {
			continue
		}
		if _, err := s.RemoveTree(s.path("tmp", r.ID), r.ID); err != nil {
			failures = append(failures, fmt.Errorf("cannot remove all of run %s: %w", r.ID, text.Cause(err)))
			continue
		}
		removed(r)
	}
	return errors.Join(failures...)
}

func (s *Store) cannotRemove(err error) error {
	return fmt.Errorf("cannot remove runs of '%s': %w", s.root, text.Cause(err))
}

// rewriteJournal replaces the journal with the lines whose records accept returns true for,
// followed by the lines of more, which may be nil. The caller has opened the stage, in which
// the new file is created.
func (s *Store) rewriteJournal(accept func(Record) bool, more func() []Record) error {
	old, err := file.OpenLocked(s.path("journal"))
	if err != nil {
		return err
	}
	defer old.Close()
	info, err := old.Stat()
	if err != nil {
		return err
	}
	return file.Replace(s.path("journal"), s.path("tmp", "journal"), 0o600, func(f *os.File) error {
		w := bufio.NewWriterSize(f, chunk)
		newest := ""
		write := func(r Record) {
			w.WriteString(journalLine(r, newest)) // Flush returns the error
			newest = max(newest, r.ID)
		}
		for l, err := range forward(old, info.Size()) {
			if err != nil {
				return err
			}
			if r, err := parseRecord(string(l.text)); err == nil && accept(r) {
				write(r)
			}
		}
		if more != nil {
			for _, r := range more() {
				write(r)
			}
		}
		return w.Flush()
	})
}
