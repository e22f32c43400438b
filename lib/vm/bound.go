package vm

import "context"

// A Bound applies the limits of a VM to work in Go, such as compiling a text. The work
// counts as one stretch of Lua. If Lua asked for it, it counts toward the current stretch.
// A nil Bound has no limits.
type Bound struct {
	call   *call
	own    bool // no Lua is running
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// Bound begins work under the limits of v. The caller holds the Lua lock, or no Lua runs.
// The caller must call End afterwards, on the same goroutine.
func (v *VM) Bound(ctx context.Context) *Bound {
	b := &Bound{call: v.current}
	if b.call == nil {
		b.call, b.own = newCall(ctx, v), true
		b.call.start()
	}
	b.ctx, b.cancel = context.WithCancelCause(ctx)
	go func() {
		select {
		case <-b.call.done:
			b.cancel(b.call.Err())
		case <-b.ctx.Done():
		}
	}()
	return b
}

// Step returns an error once a limit is exceeded: a *LimitError, or the cause if the
// context of the Bound has ended. The work calls it at least every few microseconds.
func (b *Bound) Step() error {
	if b == nil {
		return nil
	}
	select {
	case <-b.call.Done():
		return b.call.Err()
	default:
		return nil
	}
}

// Context returns a context for Lua that is part of the work. It ends when Step begins to
// return errors.
func (b *Bound) Context() context.Context {
	if b == nil {
		return context.Background()
	}
	return b.ctx
}

// End must be called when the work is finished.
func (b *Bound) End() {
	b.cancel(nil)
	if b.own {
		b.call.stop()
		b.call.end()
	}
}
