package drive

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"

	"quire/lib/runstore"
)

// Dispatch drives runs in parallel up to the limits of their repositories. The runs of a
// repository begin in the order of their ids. At most limits.Root drivers exist at a time;
// 0 means the number of processors. A run without a driver keeps its place in the queue. If
// this process is killed, ctx ends or the root is paused, those runs stay pending and do not
// delay other runs. Dispatch returns when all drivers have ended. The error joins the errors
// of the drivers.
func Dispatch(ctx context.Context, store *runstore.Store, tasks []Task, limits runstore.Limits) error {
	tasks = slices.SortedStableFunc(slices.Values(tasks), func(a, b Task) int { return strings.Compare(a.ID, b.ID) })
	var ids []string
	for _, t := range tasks {
		ids = append(ids, t.ID)
	}
	places, err := store.HoldPlaces(ids...)
	if err != nil {
		for _, t := range tasks {
			t.ended()
		}
		return err
	}
	defer places.Close()
	var failures []error
	drivers := map[string]int{}    // by repository
	beginning := map[string]bool{} // the newest driver of the repository waits for its turn
	all, most := 0, cmp.Or(limits.Root, runtime.GOMAXPROCS(0))
	events, cancelled := make(chan event), ctx.Done()
	drop := func() {
		for _, t := range tasks {
			failures = append(failures, places.Free(t.ID))
			t.ended()
		}
		tasks = nil
	}
	for {
		if err := store.Paused(); err != nil && len(tasks) > 0 {
			failures = append(failures, err)
			drop()
		}
		for all < most {
			i := slices.IndexFunc(tasks, func(t Task) bool {
				n := limits.AtOnce(t.Repo)
				return !beginning[t.Repo] && (n == 0 || drivers[t.Repo] < n)
			})
			if i < 0 {
				break
			}
			t := tasks[i]
			tasks = slices.Delete(tasks, i, i+1)
			all++
			drivers[t.Repo]++
			beginning[t.Repo] = true
			t.start(events)
		}
		if all == 0 {
			return errors.Join(failures...)
		}
		select {
		case <-cancelled:
			cancelled = nil
			drop()
		case e := <-events:
			if !e.ended {
				beginning[e.task.Repo] = false
				continue
			}
			all--
			drivers[e.task.Repo]--
			failures = append(failures, e.err, places.Free(e.task.ID))
		}
	}
}

// An event says that a run is no longer pending, or that its driver has ended.
type event struct {
	task  Task
	ended bool
	err   error // of the driver
}

// start drives the run and sends two events: one when the run is no longer pending or
// cannot be driven, and one with the result of drive.
func (t Task) start(events chan<- event) {
	ctx, cancel := context.WithCancel(context.Background())
	begun := make(chan struct{})
	go func() {
		_ = t.AwaitBegin(ctx)
		events <- event{task: t}
		close(begun)
	}()
	go func() {
		err := t.drive()
		t.ended()
		cancel()
		<-begun
		events <- event{task: t, ended: true, err: err}
	}()
}
