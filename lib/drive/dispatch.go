package drive

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"

	"quire/lib/runstore"
)

// A Task is a pending run that a dispatcher drives.
type Task struct {
	*runstore.Run
	Drive func() error // returns when the run has ended, or cannot be driven
}

// Dispatch drives runs, side by side up to the limits of their repositories and in the
// order of their ids. A run that Dispatch has not begun to drive keeps its place in the
// queue. If this process ends early, the rest is pending and holds up no other run. The
// error joins those of the runs.
func Dispatch(store *runstore.Store, tasks []Task, limits runstore.Limits) error {
	slices.SortStableFunc(tasks, func(a, b Task) int { return strings.Compare(a.ID, b.ID) })
	var ids []string
	for _, t := range tasks {
		ids = append(ids, t.ID)
	}
	places, err := store.HoldPlaces(ids...)
	if err != nil {
		return err
	}
	defer places.Close()
	var all sync.WaitGroup
	var start, result sync.Mutex
	var failures []error
	next := 0
	for range min(len(tasks), width(tasks, limits)) {
		all.Go(func() {
			for {
				start.Lock()
				if next == len(tasks) {
					start.Unlock()
					return
				}
				t := tasks[next]
				next++
				ended := t.begin() // before the next one is started, so that they begin in order
				start.Unlock()
				err := errors.Join(<-ended, places.Free(t.ID))
				result.Lock()
				failures = append(failures, err)
				result.Unlock()
			}
		})
	}
	all.Wait()
	return errors.Join(failures...)
}

// begin starts to drive the run and returns when it is no longer pending, or cannot be
// driven. The channel gets the result of Drive.
func (t Task) begin() <-chan error {
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		ended <- t.Drive()
		cancel()
	}()
	_ = t.Run.AwaitBegin(ctx)
	return ended
}

// width returns how many of tasks may be active at once: the greatest limit of their
// repositories, or the number of processors without a limit.
func width(tasks []Task, limits runstore.Limits) int {
	most := 0
	for _, t := range tasks {
		n := limits.AtOnce(t.Repo)
		if n == 0 {
			n = runtime.GOMAXPROCS(0)
		}
		most = max(most, n)
	}
	return most
}
