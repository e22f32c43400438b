package runstore

import (
	"fmt"

	"quire/lib/text"
)

// Due returns those of runs, which are pending and driven by nobody, that are to be
// handed out now: not one that as many older runs of its repository wait before as may
// be active at once. Whoever drove it would only wait behind them, and those who are
// called every minute would in a long queue start one more to wait every minute. It is
// due once the others have begun, or are no longer waited for.
func (s *Store) Due(runs []*Run, limits Limits) ([]*Run, error) {
	l, err := s.places()
	if err != nil {
		return nil, fmt.Errorf("cannot look at the queue of '%s': %w", s.root, text.Cause(err))
	}
	var due []*Run
	for _, r := range runs {
		before := 0
		for _, p := range l.waiting {
			if p.repo == r.Repo && p.id < r.ID {
				before++
			}
		}
		if n := limits.AtOnce(r.Repo); n == 0 || before < n {
			due = append(due, r)
		}
	}
	return due, nil
}

// AtOnce returns how many runs of a repository may be active, 0 for any number.
func (l Limits) AtOnce(repo string) int {
	n := l.repo(repo)
	if n == 0 || l.Root > 0 && l.Root < n {
		return l.Root
	}
	return n
}
