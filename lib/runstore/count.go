package runstore

import "fmt"

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
		return nil, fmt.Errorf("cannot count runs of '%s': %w", s.root, plain(err))
	}
	counts := map[State]int{}
	known := map[string]bool{}
	for _, r := range live {
		counts[r.State]++
		known[r.ID] = true
	}
	f, size, err := s.openJournal()
	if err != nil {
		return nil, fmt.Errorf("cannot count runs of '%s': %w", s.root, plain(err))
	}
	defer f.Close()
	for l, err := range forward(f, size) {
		if err != nil {
			return nil, fmt.Errorf("cannot count runs of '%s': %w", s.root, plain(err))
		}
		if len(l.text) < idLength+2 || len(known) > 0 && known[string(l.text[:idLength])] {
			continue
		}
		// The first letter tells the final states apart.
		switch l.text[idLength+1] {
		case 'c':
			counts[Complete]++
		case 'f':
			counts[Failed]++
		case 's':
			counts[Superseded]++
		}
	}
	return counts, nil
}
