package runstore

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	watched map[holder]bool // locks that a goroutine waits for
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

func (d *Driver) begin(c Change) error {
	err := d.run.Transition(c)
	d.began = err == nil
	return err
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
// least one lock to wait for, and the runs whose driver is gone. If it is, it returns
// none, and makes the run active unless c is nil.
func (d *Driver) tryBegin(limits Limits, c *Change) (before []holder, abandoned []place, err error) {
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
	l, err := d.run.store.places()
	if err != nil {
		return nil, nil, fmt.Errorf("cannot queue run %s: %w", d.run.ID, text.Cause(err))
	}
	if holders := turn(d.run, limits, slices.Concat(l.running, l.abandoned), l.waiting); len(holders) > 0 || c == nil {
		return holders, l.abandoned, nil
	}
	if err := d.begin(*c); err != nil {
		return nil, nil, err
	}
	// Unlock before another driver looks: an active run whose driver waits is not
	// running.
	return nil, nil, file.Unlock(d.file, waitingByte)
}

// endAbandoned ends the remaining processes of runs whose driver is gone. Each run has
// one try.
func (s *Store) endAbandoned(places []place, tried map[string]bool, grace time.Duration) error {
	var runs []*Run
	for _, p := range places {
		if tried[p.id] {
			return fmt.Errorf("cannot end the processes of run %s, whose driver is gone", p.id)
		}
		tried[p.id] = true
		if r, err := s.liveRun(p.id); err == nil { // else it is gone by now
			runs = append(runs, r)
		}
	}
	return s.EndOrphans(grace, runs...)
}

// A place is a live run, as the queue sees it.
type place struct {
	id, repo, dir string
	held          string // the root, if a dispatcher holds the place and the run has no driver yet
}

// waitsBy returns the lock that is held while the run waits.
func (p place) waitsBy() holder {
	if p.held != "" {
		return holder{p.held, placeByte(p.id)}
	}
	return holder{p.dir, waitingByte}
}

// turn returns the locks that the run must wait for, none if it is its turn. waiting is
// sorted by id.
func turn(r *Run, limits Limits, running, waiting []place) []holder {
	perRepo := map[string]int{}
	var all []holder // locks of the runs that have a slot, or will take one first
	of := map[string][]holder{}
	take := func(p place, h holder) {
		perRepo[p.repo]++
		all, of[p.repo] = append(all, h), append(of[p.repo], h)
	}
	for _, p := range running {
		take(p, holder{p.dir, driverByte})
	}
	full := func(repo string) bool {
		n := limits.repo(repo)
		return n > 0 && perRepo[repo] >= n
	}
	rootFull := func() bool { return limits.Root > 0 && len(all) >= limits.Root }
	blocked := map[string]place{} // the last run of each repository that cannot begin
	for _, p := range waiting {
		if p.id >= r.ID {
			break
		}
		if full(p.repo) || rootFull() {
			blocked[p.repo] = p
			continue
		}
		take(p, p.waitsBy())
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

// places are the live runs that the queue counts, each list by id.
type places struct {
	running   []place // active, with a driver
	waiting   []place // pending, with a driver that waits for its turn, or a dispatcher
	abandoned []place // begun, and the driver is gone: processes may be left
}

// places looks at the live runs. A run may have been made active by hand while its driver
// still waits. It counts as waiting; otherwise such drivers could wait for each other
// forever.
func (s *Store) places() (l places, err error) {
	names, err := s.liveNames()
	if err != nil {
		return places{}, err
	}
	for _, id := range names {
		p, err := s.place(id)
		if err != nil {
			continue // it has ended, or its directory does not exist yet
		}
		path := filepath.Join(p.dir, lockFile)
		held, err := file.Locked(path, driverByte)
		if err != nil {
			continue
		}
		if !held {
			switch held, err := s.hasPlace(id); {
			case exists(path) && s.isAbandoned(p):
				l.abandoned = append(l.abandoned, p)
			case err == nil && held:
				if state, err := lastState(p.dir); err == nil && state == Pending {
					p.held = s.root
					l.waiting = append(l.waiting, p)
				}
			}
			continue
		}
		state, err := lastState(p.dir)
		if err != nil || state.Final() {
			continue
		}
		switch waits, err := file.Locked(path, waitingByte); {
		case err == nil && waits:
			l.waiting = append(l.waiting, p)
		case state == Active:
			l.running = append(l.running, p)
		}
	}
	return l, nil
}

// isAbandoned reports whether a run that had a driver has begun and lost it, while its
// link in live/ says that processes may be left.
func (s *Store) isAbandoned(p place) bool {
	state, err := lastState(p.dir)
	if err != nil || state == Pending {
		return false
	}
	// In this order: a driver removes the link before it unlocks.
	held, err := file.Locked(filepath.Join(p.dir, lockFile), driverByte)
	return err == nil && !held && exists(s.path("live", p.id))
}

// place reads a run's repository and directory from its link, which is quicker than
// reading its facts.
func (s *Store) place(id string) (place, error) {
	target, err := os.Readlink(s.path("live", id))
	if err != nil {
		return place{}, err
	}
	repo, ok := strings.CutPrefix(filepath.Dir(target), "../runs/")
	if !ok {
		return place{}, errors.New("not a link to a run")
	}
	return place{id: id, repo: repo, dir: s.runDir(repo, id)}, nil
}

// lastState returns the state in the last complete line of a history.
func lastState(dir string) (State, error) {
	f, err := file.Open(filepath.Join(dir, historyFile))
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return "", err
	}
	s, err := parseHistory(text)
	return s.State, err
}
