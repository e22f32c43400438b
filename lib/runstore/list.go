package runstore

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"quire/lib/file"
	"quire/lib/text"
)

// A Filter says which runs to list. The zero value lists all.
type Filter struct {
	Repo   string  // only of this repository
	Ref    string  // only of this ref, whose name may lack refs/heads/ or refs/tags/
	States []State // only in one of these states
	Newest bool    // only the newest one of each ref of a repository, among those that the fields above accept
	Limit  int     // at most this many; 0: no limit
}

func (f Filter) matches(r Record) bool {
	return (f.Repo == "" || f.Repo == r.Repo) &&
		(f.Ref == "" || f.Ref == r.Ref || "refs/heads/"+f.Ref == r.Ref || "refs/tags/"+f.Ref == r.Ref) &&
		(len(f.States) == 0 || slices.Contains(f.States, r.Shown()))
}

// List returns the records of the runs that f accepts, newest first: by id, descending.
// It reads live/ and the journal from its end, no further than needed, and no ended run's
// directory. An error of the list ends it; an error about one run does not.
func (s *Store) List(f Filter) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		left := f.Limit
		emitted := map[[2]string]bool{}
		emit := func(r Record, err error) bool {
			if err == nil && (!f.matches(r) || emitted[[2]string{r.Repo, r.Ref}]) {
				return true
			}
			if err == nil && f.Newest {
				emitted[[2]string{r.Repo, r.Ref}] = true
			}
			if !yield(r, err) {
				return false
			}
			if err == nil {
				left--
			}
			return left != 0
		}
		// Live runs first: one that ends during the call is in both, none in neither.
		live, err := s.liveRecords(emit)
		if err != nil {
			yield(Record{}, fmt.Errorf("cannot list runs of '%s': %w", s.root, text.Cause(err)))
			return
		}
		if live == nil {
			return
		}
		known := make(map[string]bool, len(live))
		for _, r := range live {
			known[r.ID] = true
		}
		for r, err := range s.ended(f) {
			if err != nil {
				yield(Record{}, fmt.Errorf("cannot read journal of '%s': %w", s.root, text.Cause(err)))
				return
			}
			for len(live) > 0 && live[0].ID > r.ID {
				if !emit(live[0], nil) {
					return
				}
				live = live[1:]
			}
			if !known[r.ID] && !emit(r, nil) {
				return
			}
		}
		for _, r := range live {
			if !emit(r, nil) {
				return
			}
		}
	}
}

// liveRecords returns the records of the runs in live/, newest first. It passes errors
// about single runs to emit. It returns nil if emit wants no more.
func (s *Store) liveRecords(emit func(Record, error) bool) ([]Record, error) {
	runs, failures, err := s.live()
	if err != nil {
		return nil, err
	}
	records := make([]Record, 0, len(runs))
	for _, r := range slices.Backward(runs) {
		rec, err := r.Record()
		switch {
		case err == nil:
			records = append(records, rec)
		case !errors.Is(err, ErrNotFound):
			failures = append(failures, err)
		}
	}
	for _, err := range failures {
		if !emit(Record{}, err) {
			return nil, nil
		}
	}
	return records, nil
}

// Live returns the runs that have not ended, oldest first, and briefly some that just
// did. An error about one run does not end the list.
func (s *Store) Live() iter.Seq2[*Run, error] {
	return func(yield func(*Run, error) bool) {
		runs, failures, err := s.live()
		if err != nil {
			yield(nil, fmt.Errorf("cannot list runs of '%s': %w", s.root, text.Cause(err)))
			return
		}
		for _, r := range runs {
			if !yield(r, nil) {
				return
			}
		}
		for _, err := range failures {
			if !yield(nil, err) {
				return
			}
		}
	}
}

// live returns the runs that live/ links to, by id, and the errors about some. It ignores
// dangling links.
func (s *Store) live() (runs []*Run, failures []error, err error) {
	names, err := s.liveNames()
	if err != nil {
		return nil, nil, err
	}
	for _, id := range names {
		r, err := s.liveRun(id)
		switch {
		case err == nil:
			runs = append(runs, r)
		case !errors.Is(err, fs.ErrNotExist):
			failures = append(failures, err)
		}
	}
	return runs, failures, nil
}

// liveNames returns the ids in live/, in order.
func (s *Store) liveNames() ([]string, error) { return s.linkNames("live") }

// linkNames returns the ids of the runs linked in a directory, in order.
func (s *Store) linkNames(dir string) ([]string, error) {
	d, err := file.Open(s.path(dir))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	slices.Sort(names)
	return slices.DeleteFunc(names, func(n string) bool { return !IsID(n) }), err
}

// liveRun returns the run that the link live/ID leads to.
func (s *Store) liveRun(id string) (*Run, error) { return s.linkedRun("live", id) }

// linkedRun returns the run that the link DIR/ID leads to.
func (s *Store) linkedRun(dir, id string) (*Run, error) {
	link := s.path(dir, id)
	target, err := os.Readlink(link)
	if err != nil {
		return nil, err
	}
	return s.open(filepath.Join(filepath.Dir(link), target))
}

// ended returns the records in the journal that f accepts, by id, descending. The journal
// is in the order of ends. Each line carries the greatest id so far, which tells when a
// record already read may be returned.
func (s *Store) ended(f Filter) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		var waiting []Record                               // newest first
		ofRepo := []byte("\t" + text.Field(f.Repo) + "\t") // to parse no more lines than needed
		newest := map[string]string{}                      // refs to the newest id read so far, likewise
		// give yields the waiting records that are newer than id.
		give := func(id []byte) bool {
			for len(waiting) > 0 && waiting[0].ID > string(id) {
				if !yield(waiting[0], nil) {
					return false
				}
				waiting = waiting[1:]
			}
			return true
		}
		for l, err := range s.journalBackward() {
			if err != nil {
				yield(Record{}, err)
				return
			}
			if !give(newestOf(l.text)) {
				return
			}
			if f.Repo != "" && !bytes.Contains(l.text, ofRepo) || f.Newest && newest[string(refOf(l.text))] > string(idOf(l.text)) {
				continue
			}
			if r, err := parseRecord(string(l.text)); err == nil && f.matches(r) {
				at, _ := slices.BinarySearchFunc(waiting, r.ID, func(w Record, id string) int { return strings.Compare(id, w.ID) })
				waiting = slices.Insert(waiting, at, r) // nearly always at the end
				if f.Newest {
					newest[string(refOf(l.text))] = r.ID
				}
			}
		}
		give(nil)
	}
}
