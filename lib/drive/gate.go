package drive

import (
	"context"
	"errors"
	"fmt"
	"io"

	"quire/lib/runstore"
	"quire/lib/text"
	"quire/lib/view"
)

// Gate drives tasks, the runs of a push that git has not accepted yet. It writes their logs
// to w and returns when they have ended. If ctx ends, the runs end as cancelled. The error is
// quire's own.
func Gate(ctx context.Context, store *runstore.Store, tasks []Task, limits runstore.Limits, w io.Writer) error {
	ignoreStops()
	var runs []*runstore.Run
	for _, t := range tasks {
		runs = append(runs, t.Run)
	}
	cancelled := make(chan error, 1)
	defer context.AfterFunc(ctx, func() { cancelled <- cancel(ctx, store, runs) })()
	result := make(chan error, 1)
	go func() { result <- Dispatch(ctx, store, tasks, limits) }()
	followed := make(chan error, 1)
	go func() {
		_, err := Follow(tasks, text.Terminal(w))
		followed <- err
	}()
	select {
	case err := <-followed:
		return errors.Join(err, <-result)
	case err := <-cancelled: // if the pusher is gone, a write may never return
		return errors.Join(err, <-result)
	}
}

// Refusal returns why git must refuse the push of the runs, nil if all are complete. It
// cancels runs that have not ended, for example because another run of the push is invalid.
func Refusal(ctx context.Context, store *runstore.Store, runs []*runstore.Run) error {
	failures := []error{cancel(ctx, store, runs)}
	for _, r := range runs {
		status, err := r.Status()
		if err == nil && status.State != runstore.Complete {
			err = fmt.Errorf("run %s of '%s' is %s", r.ID, r.Ref, view.Describe(status))
			if status.Note != "" {
				err = fmt.Errorf("%w: %s", err, status.Note)
			}
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// cancel cancels the runs that have not ended.
func cancel(ctx context.Context, store *runstore.Store, runs []*runstore.Run) error {
	c := runstore.Change{State: runstore.Failed, Reason: "cancelled", Note: "the push was refused"}
	if ctx.Err() != nil {
		c.Note = context.Cause(ctx).Error()
	}
	var changes []runstore.RunChange
	for _, r := range runs {
		changes = append(changes, runstore.RunChange{Run: r, Change: c})
	}
	var failures []error
	for _, err := range store.TransitionAll(changes) {
		if !errors.As(err, new(*runstore.StateError)) {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}
