package drive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"quire/lib/runstore"
	"quire/lib/text"
	"quire/lib/view"
)

// ErrNoReader is the cause of a context of WithReader.
var ErrNoReader = errors.New("the connection of the push ended")

// WithReader returns a context that also ends when f, a pipe, has no reader any more. The
// reader of a hook's output is git-receive-pack. While the hook runs, that program sends
// data to the pusher every 5 seconds (receive.keepAlive in git-config(1)), and exits if the
// connection has ended.
func WithReader(ctx context.Context, f *os.File) context.Context {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		fds := []unix.PollFd{{Fd: int32(f.Fd())}} // POLLERR and POLLHUP are always reported
		for {
			_, err := unix.Poll(fds, -1)
			if errors.Is(err, unix.EINTR) {
				continue
			}
			if err == nil && fds[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0 {
				cancel(ErrNoReader)
			}
			return
		}
	}()
	return ctx
}

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
	stop := context.AfterFunc(ctx, func() { cancelled <- cancel(ctx, store, runs) })
	result := make(chan error, 1)
	go func() { result <- Dispatch(ctx, store, tasks, limits) }()
	_, err := Follow(tasks, text.Terminal(w))
	err = errors.Join(err, <-result)
	if !stop() {
		err = errors.Join(err, <-cancelled)
	}
	return err
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
