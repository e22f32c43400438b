package runstore

import (
	"path/filepath"
	"slices"
	"strings"

	"quire/lib/file"
)

// Explain says in a few words why the run is in its state, and which of its files could
// not be removed. It returns "" if the state says it all.
func (r *Run) Explain() (string, error) {
	why, err := r.explainState()
	if err != nil {
		return "", err
	}
	left, err := r.Left()
	for _, path := range left {
		why += "; could not be removed whole, see '" + path + "'"
	}
	return strings.TrimPrefix(why, "; "), err
}

func (r *Run) explainState() (string, error) {
	s, err := r.Status()
	if err != nil {
		return "", err
	}
	driven, err := r.Driven()
	if err != nil {
		return "", err
	}
	placed, err := r.store.hasPlace(r.ID)
	if err != nil {
		return "", err
	}
	paused := r.store.Paused()
	switch {
	case s.State == Pending && driven:
		return r.explainWaiting()
	case s.State == Pending && placed:
		return r.explainOrder()
	case s.State == Pending && paused != nil:
		return paused.Error(), nil
	case s.State == Pending && r.Gate:
		return "its push has ended; reconcile fails it", nil
	case s.State == Pending:
		return "nobody drives it; reconcile hands it out", nil
	case s.State == Active && !driven:
		return "its driver is gone; reconcile fails it", nil
	case s.State.IsReplaced():
		return "replaced by run " + s.By, nil
	case s.Reason == "orphaned":
		return "its driver was found to be gone at " + formatTime(s.Finished), nil
	case s.State.Final() && driven:
		return "its driver still ends processes or removes the workspace", nil
	}
	return "", nil
}

// explainWaiting names the runs that the run waits for.
func (r *Run) explainWaiting() (string, error) {
	held, err := file.Locked(filepath.Join(r.Dir, lockFile), waitingByte)
	if err != nil || !held {
		return "about to begin", err
	}
	return r.explainOrder()
}

// explainOrder is explainWaiting for a run that certainly waits.
func (r *Run) explainOrder() (string, error) {
	all, err := r.store.queue()
	if err != nil {
		return "", err
	}
	var before []string
	for _, q := range slices.Concat(all.running, all.abandoned) {
		before = append(before, q.id)
	}
	for _, q := range all.waiting {
		if q.id < r.ID {
			before = append(before, q.id)
		}
	}
	if len(before) == 0 {
		return "about to begin", nil
	}
	return "waits for its turn behind " + strings.Join(before, ", "), nil
}
