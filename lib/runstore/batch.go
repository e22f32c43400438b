package runstore

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"quire/lib/file"
	"quire/lib/text"
)

// openHistories is the number of histories that are open at once. Each is a file, and a process
// may have 1,024 by default. Each batch costs one sync of the file system.
const openHistories = 1000

// A RunChange is the change that one of several runs makes.
type RunChange struct {
	Run    *Run
	Change Change
}

// TransitionAll is Transition for many runs with few syncs. Each run may be given once.
// errs[i] belongs to changes[i].
func (s *Store) TransitionAll(changes []RunChange) (errs []error) {
	errs = make([]error, len(changes))
	if len(changes) < syncAllFrom {
		for i, c := range changes {
			errs[i] = c.Run.transition(c.Change)
		}
		s.afterAll(changes, errs)
		return errs
	}
	// Lock in the order of the ids, so that two callers with some of the same runs do
	// not wait for each other.
	order := make([]int, len(changes))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(changes[a].Run.ID, changes[b].Run.ID) })
	for part := range slices.Chunk(order, openHistories) {
		s.transitionPart(changes, part, errs)
	}
	s.afterAll(changes, errs)
	return errs
}

// afterAll calls onEnd once for the changes that ended runs.
func (s *Store) afterAll(changes []RunChange, errs []error) {
	var ended []*Run
	for i, c := range changes {
		if errs[i] == nil && c.Change.State.Final() {
			ended = append(ended, c.Run)
		}
	}
	s.afterEnd(ended...)
}

// transitionPart makes the changes whose indices are in part.
func (s *Store) transitionPart(changes []RunChange, part []int, errs []error) {
	edits := map[int]*edit{}
	defer func() {
		for _, e := range edits {
			e.file.Close()
		}
	}()
	fail := func(i int, err error) {
		e := edits[i]
		err = errors.Join(err, e.file.Truncate(e.size)) // see appendLine
		errs[i] = fmt.Errorf("cannot change run %s: %w", e.run.ID, text.Cause(err))
		e.file.Close()
		delete(edits, i)
	}
	for _, i := range part {
		e, err := changes[i].Run.edit(changes[i].Change)
		if err != nil {
			errs[i] = err
			continue
		}
		edits[i] = e
		if err := writeLine(e.file, e.size, formatChange(e.change)); err != nil {
			fail(i, err)
		}
	}
	if err := file.SyncAll(s.root); err != nil {
		for i := range edits {
			fail(i, err)
		}
		return
	}
	var ended []*edit
	for _, i := range part {
		if e, ok := edits[i]; ok && e.change.State.Final() {
			ended = append(ended, e)
		}
	}
	if len(ended) > 0 {
		_ = s.finish(ended...) // as in Transition
	}
}
