package runstore

import (
	"fmt"
	"io"
	"runtime"
	"sync"

	"quire/lib/text"
)

// Count returns how many runs are in each state.
func (s *Store) Count() (map[State]int, error) {
	var failure error
	live, err := s.liveRecords(func(_ Record, err error) bool {
		failure = err
		return false
	})
	if err == nil {
		err = failure
	}
	if err != nil {
		return nil, fmt.Errorf("cannot count runs of '%s': %w", s.root, text.Cause(err))
	}
	counts := map[State]int{}
	known := map[string]bool{}
	for _, r := range live {
		counts[r.State]++
		known[r.ID] = true
	}
	f, size, err := s.openJournal()
	if err != nil {
		return nil, fmt.Errorf("cannot count runs of '%s': %w", s.root, text.Cause(err))
	}
	defer f.Close()
	parts, err := split(f, size, runtime.GOMAXPROCS(0))
	if err != nil {
		return nil, fmt.Errorf("cannot count runs of '%s': %w", s.root, text.Cause(err))
	}
	var all sync.WaitGroup
	tallies := make([]tally, len(parts))
	for i, part := range parts {
		all.Go(func() { tallies[i].count(part, known) })
	}
	all.Wait()
	for _, t := range tallies {
		if t.err != nil {
			return nil, fmt.Errorf("cannot count runs of '%s': %w", s.root, text.Cause(t.err))
		}
		counts[Complete] += t.complete
		counts[Failed] += t.failed
		counts[Superseded] += t.superseded
	}
	return counts, nil
}

// A tally is how many lines of a part of the journal are in each state.
type tally struct {
	complete, failed, superseded int
	err                          error
}

// count counts the lines of part, but for those of the runs that are known.
func (t *tally) count(part *io.SectionReader, known map[string]bool) {
	for l, err := range forward(part, part.Size()) {
		if err != nil {
			t.err = err
			return
		}
		if len(l.text) < idLength+2 || len(known) > 0 && known[string(l.text[:idLength])] {
			continue
		}
		// The first letter tells the final states apart.
		switch l.text[idLength+1] {
		case 'c':
			t.complete++
		case 'f':
			t.failed++
		case 's':
			t.superseded++
		}
	}
}

// split cuts the first size bytes of f between lines, into about n parts of one size.
func split(f io.ReaderAt, size int64, n int) ([]*io.SectionReader, error) {
	var parts []*io.SectionReader
	for start := int64(0); start < size; {
		end := min(start+size/int64(n)+1, size)
		for l, err := range forward(io.NewSectionReader(f, end, size-end), min(size-end, chunk)) {
			if err != nil {
				return nil, err
			}
			end += l.end
			break
		}
		parts = append(parts, io.NewSectionReader(f, start, end-start))
		start = end
	}
	return parts, nil
}
