package runstore

import (
	"fmt"

	"quire/lib/text"
)

// Due returns the runs worth dispatching now. The runs given are pending and have no
// driver. A run is held back while as many older runs of its repository wait as may be
// active at once: a driver would only queue behind them, and cron would start one more
// each minute. The run is due when the others have begun or have no driver any more.
func (s *Store) Due(runs []*Run, limits Limits) ([]*Run, error) {
	all, err := s.queue()
	if err != nil {
		return nil, fmt.Errorf("cannot look at the queue of '%s': %w", s.root, text.Cause(err))
	}
	var due []*Run
	for _, r := range runs {
		before := 0
		for _, q := range all.waiting {
			if q.repo == r.Repo && q.id < r.ID {
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
