package runstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"quire/lib/file"
	"quire/lib/text"
)

// Limits says how many runs may be active at once. 0 is no limit.
type Limits struct {
	Root int                   // in the whole root
	Repo func(name string) int // of one repository; nil: no limit

	Grace time.Duration // for the processes of a run whose driver is gone, see EndOrphans
}

func (l Limits) repo(name string) int {
	if l.Repo == nil {
		return 0
	}
	return l.Repo(name)
}

// Begin waits until the limits allow one more active run, calls prepare, and then makes
// the run active with the change c. Until then the run stays pending. Runs begin in the
// order of their ids. A run held back by its repository's limit does not hold back
// another repository.
//
// While prepare works, the run counts as the first that waits: no younger run takes its
// turn. If an older run takes the turn, Begin waits again, and calls prepare again at the
// next turn, so that what it read is never out of date. If prepare returns an error,
// Begin gives the turn back and returns that error. A nil prepare is not called. If the
// root is paused before the run is active, the error is a *PausedError. If the run had ended
// before, it is a *StateError.
//
// Waiting costs nothing: a waiter sleeps on the kernel's locks of the runs before it.
// They wake it also if their holders are killed. A run whose driver was killed still has
// its slot: Begin ends its remaining processes, and then takes the slot.
func (d *Driver) Begin(ctx context.Context, limits Limits, c Change, prepare func(context.Context) error) error {
	if prepare == nil {
		prepare = func(context.Context) error { return nil }
	}
	if status, err := d.run.Status(); err != nil {
		return err
	} else if status.State.Final() {
		return &StateError{d.run.ID, status.State, c.State} // prepare is for runs that may begin
	}
	defer file.Unlock(d.file, waitingByte)
	w := waiter{woken: d.woken, released: make(chan struct{}, 1), watched: map[holder]bool{}}
	tried := map[string]bool{} // runs whose processes were ended
	for {
		before, abandoned, err := d.tryBegin(limits, nil)
		if err != nil {
			return err
		}
		if len(before) == 0 {
			if err := prepare(ctx); err != nil {
				return err
			}
			if before, abandoned, err = d.tryBegin(limits, &c); err != nil || len(before) == 0 {
				return err
			}
		}
		if len(abandoned) > 0 {
			if err := d.run.store.endAbandoned(abandoned, tried, limits.Grace); err != nil {
				return fmt.Errorf("cannot queue run %s: %w", d.run.ID, err)
			}
			continue
		}
		if err := w.wait(ctx, before); err != nil {
			return fmt.Errorf("cannot begin run %s: %w", d.run.ID, err)
		}
	}
}

// A waiter waits for locks of other runs.
type waiter struct {
	woken    chan struct{} // see Driver
	released chan struct{} // has a value if a lock was released since the last wait

	mu      sync.Mutex
	watched map[holder]bool // locks that goroutines wait for
}

// wait returns nil when one of the locks may have been released or the root may have been
// paused. When ctx ends, it returns its cause.
func (w *waiter) wait(ctx context.Context, locks []holder) error {
	for _, h := range locks {
		w.watch(h)
	}
	select {
	case <-w.released:
		return nil
	case <-w.woken:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// watch makes a goroutine wait for the lock, unless one already does. If the lock cannot
// be waited for, the caller sees that when it looks at it next. A goroutine whose lock
// outlasts the waiter keeps a thread until the process ends.
func (w *waiter) watch(h holder) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.watched[h] {
		return
	}
	w.watched[h] = true
	go func() {
		_ = awaitLock(h.path(), h.lock)
		w.mu.Lock()
		delete(w.watched, h)
		w.mu.Unlock()
		select {
		case w.released <- struct{}{}:
		default:
		}
	}()
}

// A holder is a lock that a waiter may wait for.
type holder struct {
	dir  string
	lock int64
}

// path returns the file that is locked: the run's, or the queue in the root.
func (h holder) path() string {
	if h.lock > waitingByte {
		return filepath.Join(h.dir, "queue")
	}
	return filepath.Join(h.dir, lockFile)
}

// tryBegin adds the run to the waiting ones. If it is not the run's turn, it returns at
// least one lock to wait for, and the runs whose driver is gone. If it is the run's turn, it
// returns no lock, and makes the run active unless c is nil.
func (d *Driver) tryBegin(limits Limits, c *Change) (before []holder, abandoned []queueRun, err error) {
	q, err := file.OpenLocked(d.run.store.path("queue"))
	if err != nil {
		return nil, nil, fmt.Errorf("cannot queue run %s: %w", d.run.ID, text.Cause(err))
	}
	defer q.Close()
	if err := d.run.store.Paused(); err != nil {
		return nil, nil, fmt.Errorf("cannot begin run %s: %w", d.run.ID, err)
	}
	// This process holds the lock of the queue: no younger run that looked for older
	// ones a moment too early takes the turn. Taking the same lock again is no error.
	if err := file.TryLock(d.file, waitingByte, file.Exclusive); err != nil {
		return nil, nil, fmt.Errorf("cannot queue run %s: %w", d.run.ID, err)
	}
	all, err := d.run.store.queue()
	if err != nil {
		return nil, nil, fmt.Errorf("cannot queue run %s: %w", d.run.ID, text.Cause(err))
	}
	if holders := turn(d.run, limits, slices.Concat(all.running, all.abandoned), all.waiting); len(holders) > 0 || c == nil {
		return holders, all.abandoned, nil
	}
	if err := d.run.Transition(*c); err != nil {
		return nil, nil, err
	}
	d.began = true
	// Unlock before another driver looks: an active run whose driver waits is not
	// running.
	return nil, nil, file.Unlock(d.file, waitingByte)
}

// endAbandoned ends the remaining processes of runs whose driver is gone. Each run has
// one try.
func (s *Store) endAbandoned(abandoned []queueRun, tried map[string]bool, grace time.Duration) error {
	var runs []*Run
	for _, q := range abandoned {
		if tried[q.id] {
			return fmt.Errorf("cannot end the processes of run %s, whose driver is gone", q.id)
		}
		tried[q.id] = true
		if r, err := s.liveRun(q.id); err == nil { // else it is gone by now
			runs = append(runs, r)
		}
	}
	return s.EndOrphans(grace, runs...)
}

// A queueRun is a live run, as the queue sees it.
type queueRun struct {
	id, repo, dir string
	placeIn       string // the root, if a dispatcher holds the run's place and it has no driver yet
}

// waitsBy returns the lock that is held while the run waits.
func (q queueRun) waitsBy() holder {
	if q.placeIn != "" {
		return holder{q.placeIn, placeByte(q.id)}
	}
	return holder{q.dir, waitingByte}
}

// turn returns the locks that the run must wait for, none if it is its turn. waiting is
// sorted by id.
func turn(r *Run, limits Limits, running, waiting []queueRun) []holder {
	perRepo := map[string]int{}
	var all []holder // locks of the runs that have a slot, or will take one first
	of := map[string][]holder{}
	take := func(q queueRun, h holder) {
		perRepo[q.repo]++
		all, of[q.repo] = append(all, h), append(of[q.repo], h)
	}
	for _, q := range running {
		take(q, holder{q.dir, driverByte})
	}
	full := func(repo string) bool {
		n := limits.repo(repo)
		return n > 0 && perRepo[repo] >= n
	}
	rootFull := func() bool { return limits.Root > 0 && len(all) >= limits.Root }
	blocked := map[string]queueRun{} // the last run of each repository that cannot begin
	for _, q := range waiting {
		if q.id >= r.ID {
			break
		}
		if full(q.repo) || rootFull() {
			blocked[q.repo] = q
			continue
		}
		take(q, q.waitsBy())
	}
	if before, ok := blocked[r.Repo]; ok {
		return []holder{before.waitsBy()}
	}
	switch {
	case full(r.Repo):
		return of[r.Repo]
	case rootFull():
		return all
	}
	return nil
}

// A queue has the live runs that count, each list by id.
type queue struct {
	running   []queueRun // active, with a driver
	waiting   []queueRun // pending, with a driver that waits for its turn, or a dispatcher
	abandoned []queueRun // begun, and the driver is gone: processes may be left
}

// queue examines the live runs. A run may have been made active by hand while its driver
// still waits. It counts as waiting; otherwise such drivers could wait for each other
// forever.
func (s *Store) queue() (all queue, err error) {
	names, err := s.liveNames()
	if err != nil {
		return queue{}, err
	}
	for _, id := range names {
		q, err := s.queueRun(id)
		if err != nil {
			continue // it has ended, or its directory does not exist yet
		}
		path := filepath.Join(q.dir, lockFile)
		held, err := file.Locked(path, driverByte)
		if err != nil {
			continue
		}
		if !held {
			switch held, err := s.hasPlace(id); {
			case exists(path) && s.isAbandoned(q):
				all.abandoned = append(all.abandoned, q)
			case err == nil && held:
				if state, err := lastState(q.dir); err == nil && state == Pending {
					q.placeIn = s.root
					all.waiting = append(all.waiting, q)
				}
			}
			continue
		}
		state, err := lastState(q.dir)
		if err != nil || state.Final() {
			continue
		}
		switch waits, err := file.Locked(path, waitingByte); {
		case err == nil && waits:
			all.waiting = append(all.waiting, q)
		case state == Active:
			all.running = append(all.running, q)
		}
	}
	return all, nil
}

// isAbandoned reports whether a run that had a driver has begun and lost it, while its
// link in live/ says that processes may be left.
func (s *Store) isAbandoned(q queueRun) bool {
	state, err := lastState(q.dir)
	if err != nil || state == Pending {
		return false
	}
	// In this order: a driver removes the link before it unlocks.
	held, err := file.Locked(filepath.Join(q.dir, lockFile), driverByte)
	return err == nil && !held && exists(s.path("live", q.id))
}

// queueRun reads the repository and the directory of a run from its link, which is quicker
// than reading its facts.
func (s *Store) queueRun(id string) (queueRun, error) {
	target, err := os.Readlink(s.path("live", id))
	if err != nil {
		return queueRun{}, err
	}
	repo, ok := strings.CutPrefix(filepath.Dir(target), "../runs/")
	if !ok {
		return queueRun{}, errors.New("not a link to a run")
	}
	return queueRun{id: id, repo: repo, dir: s.runDir(repo, id)}, nil
}

// lastState returns the state in the last complete line of the history in a run's directory.
func lastState(dir string) (State, error) {
	text, err := file.Read(filepath.Join(dir, historyFile))
	if err != nil {
		return "", err
	}
	s, err := parseHistory(text)
	return s.State, err
}
