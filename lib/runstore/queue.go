package runstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"quire/lib/file"
	"quire/lib/text"
)

// Limits says how many runs may be active at once. 0 is no limit.
type Limits struct {
	Root int                   // on the whole root
	Repo func(name string) int // of one repository; nil: no limit
}

func (l Limits) repo(name string) int {
	if l.Repo == nil {
		return 0
	}
	return l.Repo(name)
}

// Begin makes the run active with the change c, as soon as the limits allow it.
// Until then the run stays pending. Those that wait begin in the order of their
// ids; one that its repository's limit holds back holds back no other repository.
//
// Waiting costs nothing: a waiter sleeps on the kernel's locks of those it waits
// for, which also wake it when they are killed.
func (d *Driver) Begin(ctx context.Context, limits Limits, c Change) error {
	if limits.Root == 0 && limits.Repo == nil {
		return d.begin(c)
	}
	defer file.Unlock(d.file, waitingByte)
	released := make(chan struct{}, 1)
	watched := map[holder]bool{}
	for {
		holders, err := d.tryBegin(limits, c)
		if err != nil || holders == nil {
			return err
		}
		for _, h := range holders {
			if watched[h] {
				continue
			}
			watched[h] = true
			// Where a lock cannot be waited for, the next try says so. The
			// thread of a lock that outlasts the waiting ends with it.
			go func() {
				_ = awaitLock(h.dir, h.lock)
				select {
				case released <- struct{}{}:
				default:
				}
			}()
		}
		select {
		case <-released:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (d *Driver) begin(c Change) error {
	err := d.run.Transition(c)
	d.began = err == nil
	return err
}

// A holder is a lock whose release may be what a waiter waits for.
type holder struct {
	dir  string
	lock int64
}

// tryBegin makes the run active if it is its turn. If not, it returns the locks to
// wait for, of which there is at least one.
func (d *Driver) tryBegin(limits Limits, c Change) ([]holder, error) {
	q, err := file.OpenLocked(d.run.store.path("queue"))
	if err != nil {
		return nil, fmt.Errorf("cannot queue run %s: %w", d.run.ID, text.Cause(err))
	}
	defer q.Close()
	// Under the lock of the queue, so that nobody takes a turn who has looked for
	// older runs a moment too early. Taking a lock that one has is no error.
	if err := file.TryLock(d.file, waitingByte, file.Exclusive); err != nil {
		return nil, fmt.Errorf("cannot queue run %s: %w", d.run.ID, err)
	}
	running, waiting, err := d.run.store.driven()
	if err != nil {
		return nil, fmt.Errorf("cannot queue run %s: %w", d.run.ID, text.Cause(err))
	}
	if holders := turn(d.run, limits, running, waiting); len(holders) > 0 {
		return holders, nil
	}
	if err := d.begin(c); err != nil {
		return nil, err
	}
	// Before anyone else looks: an active run whose driver waits is not running.
	return nil, file.Unlock(d.file, waitingByte)
}

// A place is a live run, as the queue sees it.
type place struct{ id, repo, dir string }

// turn returns what the run has to wait for; nothing when it is its turn. waiting
// is by id.
func turn(r *Run, limits Limits, running, waiting []place) []holder {
	perRepo := map[string]int{}
	var all []holder // who holds a slot, or will take one first
	of := map[string][]holder{}
	take := func(p place, lock int64) {
		h := holder{p.dir, lock}
		perRepo[p.repo]++
		all, of[p.repo] = append(all, h), append(of[p.repo], h)
	}
	for _, p := range running {
		take(p, driverByte)
	}
	full := func(repo string) bool {
		n := limits.repo(repo)
		return n > 0 && perRepo[repo] >= n
	}
	rootFull := func() bool { return limits.Root > 0 && len(all) >= limits.Root }
	blocked := map[string]place{} // the last of each repository that cannot begin
	for _, p := range waiting {
		if p.id >= r.ID {
			break
		}
		if full(p.repo) || rootFull() {
			blocked[p.repo] = p
			continue
		}
		take(p, waitingByte)
	}
	if before, ok := blocked[r.Repo]; ok {
		return []holder{{before.dir, waitingByte}}
	}
	switch {
	case full(r.Repo):
		return of[r.Repo]
	case rootFull():
		return all
	}
	return nil
}

// driven returns the live runs that are driven: those that are active, and those
// that wait, each by id. One that was made active by somebody else than its driver,
// who waits for its turn, does so still: among the active, several of these would wait
// for each other for ever.
func (s *Store) driven() (running, waiting []place, err error) {
	names, err := s.liveNames()
	if err != nil {
		return nil, nil, err
	}
	for _, id := range names {
		p, err := s.place(id)
		if err != nil {
			continue // it ended meanwhile, or is not there yet
		}
		path := filepath.Join(p.dir, lockFile)
		if held, err := file.Locked(path, driverByte); err != nil || !held {
			continue
		}
		state, err := lastState(p.dir)
		if err != nil || state.Final() {
			continue
		}
		switch waits, err := file.Locked(path, waitingByte); {
		case err == nil && waits:
			waiting = append(waiting, p)
		case state == Active:
			running = append(running, p)
		}
	}
	return running, waiting, nil
}

// place reads where a run is from its link, which is quicker than reading its facts.
func (s *Store) place(id string) (place, error) {
	target, err := os.Readlink(s.path("live", id))
	if err != nil {
		return place{}, err
	}
	repo, ok := strings.CutPrefix(filepath.Dir(target), "../runs/")
	if !ok {
		return place{}, errors.New("not a link to a run")
	}
	return place{id, repo, s.runDir(repo, id)}, nil
}

// lastState returns the state that the last whole line of a history names.
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
