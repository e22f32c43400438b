package hook

import (
	"context"
	"errors"
	"strings"
)

const (
	// pushOptions makes git accept push options.
	pushOptions = "receive.advertisePushOptions"
	// pushOptionsBefore saves the repository's own values of pushOptions, one a line. ""
	// means that it had none.
	pushOptionsBefore = "quire.advertisePushOptionsBefore"
)

// TakesOptions reports whether git accepts push options.
func (h *Hook) TakesOptions(ctx context.Context) (bool, error) {
	return h.repo.IsTrue(ctx, pushOptions)
}

// advertise makes git accept push options. It saves the earlier values first, but only once:
// after an interruption, or in a second call, it must not save quire's own value.
func (h *Hook) advertise(ctx context.Context) error {
	on, err := h.TakesOptions(ctx)
	if err != nil || on {
		return err
	}
	before, err := h.repo.LocalValues(ctx, pushOptionsBefore)
	if err != nil {
		return err
	}
	if before == nil {
		values, err := h.repo.LocalValues(ctx, pushOptions)
		if err != nil {
			return err
		}
		if err := h.repo.SetLocal(ctx, pushOptionsBefore, strings.Join(values, "\n")); err != nil {
			return err
		}
	}
	return h.repo.SetLocal(ctx, pushOptions, "true")
}

const (
	// keepAlive is how many seconds git-receive-pack(1) may send nothing to the pusher while
	// a hook runs. Git finds with the first or second message that the connection has ended.
	keepAlive        = "receive.keepAlive"
	keepAliveSeconds = "2"
)

// configure sets the variables that the hook needs in the configuration of the repository.
func (h *Hook) configure(ctx context.Context) error {
	err := h.advertise(ctx)
	if h.name == preReceive {
		err = errors.Join(err, h.noticeGone(ctx))
	}
	return err
}

// restore undoes configure. Push options stay on while the post-receive hook may be installed.
func (h *Hook) restore(ctx context.Context) error {
	if h.name == preReceive {
		return h.forgetGone(ctx)
	}
	return h.stopAdvertising(ctx)
}

// noticeGone makes git notice sooner that a pusher is gone, unless the owner has set how soon.
func (h *Hook) noticeGone(ctx context.Context) error {
	if _, set, err := h.repo.Config(keepAlive); set || err != nil {
		return err
	}
	return h.repo.SetLocal(ctx, keepAlive, keepAliveSeconds)
}

// forgetGone undoes noticeGone.
func (h *Hook) forgetGone(ctx context.Context) error {
	values, err := h.repo.LocalValues(ctx, keepAlive)
	if err != nil || len(values) != 1 || values[0] != keepAliveSeconds {
		return err
	}
	return h.repo.SetLocal(ctx, keepAlive)
}

// stopAdvertising undoes advertise.
func (h *Hook) stopAdvertising(ctx context.Context) error {
	before, err := h.repo.LocalValues(ctx, pushOptionsBefore)
	if err != nil || before == nil {
		return err
	}
	var values []string
	if before[0] != "" {
		values = strings.Split(before[0], "\n")
	}
	if err := h.repo.SetLocal(ctx, pushOptions, values...); err != nil {
		return err
	}
	return h.repo.SetLocal(ctx, pushOptionsBefore)
}
