package vm

import (
	"context"
	"sync"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// lookEvery is how many instructions of Lua lie between two looks at the time,
// while a stretch is not watched.
const lookEvery = 4

// maxNesting is how deep Lua may go into Go and back: pcall in pcall, sort in
// gsub, coroutine in coroutine. PUC Lua has the same limit under the name of
// LUAI_MAXCCALLS. Metamethods nest without being counted here; for them there is
// the bound on frames and the one on the Go stack.
const maxNesting = 200

// A turn is one Call from its beginning to its end, over all its stretches. It is
// the context of every Lua thread that runs for it: gopher-lua looks at Done
// before each instruction and raises an error when it is closed. So a turn that
// has failed stays failed, however often Lua catches that error.
type turn struct {
	vm      *VM
	ctx     context.Context
	done    chan struct{}
	unwatch func() bool // stops waiting for ctx; nil before heed
	nesting int         // how often Lua is inside a Go function that calls Lua
	resumed int         // nesting when the running coroutine was resumed; -1 outside of one
	place   *Error      // where Lua was when the turn had failed
	thrown  error       // what Raise is raising
	began   time.Time   // when the stretch did
	steps   int         // of the stretch, while it is not watched
	timer   *time.Timer // nil while it is not
	watch   *watch

	mu    sync.Mutex
	cause error // why done is closed
}

func newTurn(ctx context.Context, v *VM) *turn {
	return &turn{vm: v, ctx: ctx, done: make(chan struct{}), resumed: -1}
}

// heed makes the turn fail when its context ends. The watch calls it at its first
// look: most turns are over before, and those need nobody who waits.
func (t *turn) heed() {
	if t.unwatch == nil {
		t.unwatch = context.AfterFunc(t.ctx, func() { t.fail(context.Cause(t.ctx)) })
	}
}

// turnOf returns the turn that l runs for.
func turnOf(l *lua.LState) *turn { return l.Context().(*turn) }

// fail makes the turn end at its next instruction. The first cause counts.
func (t *turn) fail(cause error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cause == nil {
		t.cause = cause
		close(t.done)
	}
}

// exceed fails the turn for a limit and returns the error.
func (t *turn) exceed(k LimitKind) *LimitError {
	err := &LimitError{Kind: k, Limits: t.vm.limits}
	t.fail(err)
	return err
}

// start begins a stretch of Lua, stop ends it.
func (t *turn) start() {
	if t.ctx.Err() != nil {
		t.fail(context.Cause(t.ctx))
	}
	t.began, t.steps = time.Now(), 0
}

func (t *turn) stop() {
	if t.timer != nil {
		t.timer.Stop()
		t.watch.stop()
		t.timer, t.watch = nil, nil
	}
}

// step counts an instruction of Lua, or as much work in Go.
func (t *turn) step() {
	if t.timer != nil {
		return
	}
	if t.steps++; t.steps%lookEvery == 0 && time.Since(t.began) > watchEvery {
		t.guard()
	}
}

// guard bounds the rest of the stretch in time and memory. Most stretches are over
// before, and do without: a clock takes a thread of the runtime and a look at its
// statistics, together a tenth of what a short command takes.
func (t *turn) guard() {
	t.timer = time.AfterFunc(t.vm.limits.Time-time.Since(t.began), func() { t.exceed(Time) })
	t.watch = startWatch(t)
}

func (t *turn) end() {
	if t.unwatch != nil {
		t.unwatch()
	}
}

// nest counts one step from Lua into a Go function that calls Lua, and raises an
// error where there are too many. The caller undoes it with unnest.
func (t *turn) nest(l *lua.LState) {
	if t.nesting >= maxNesting {
		t.raise(l, t.exceed(Depth))
	}
	t.nesting++
}

func (t *turn) unnest() { t.nesting-- }

// check raises the turn's error where it has failed, for a Go function that works
// long without coming back to Lua.
func (t *turn) check(l *lua.LState) {
	if t.timer == nil {
		t.guard()
	}
	if err := t.Err(); err != nil {
		t.raise(l, err)
	}
}

// The methods of context.Context. gopher-lua asks for Done before each instruction.

func (t *turn) Done() <-chan struct{} {
	t.step()
	return t.done
}

func (t *turn) Deadline() (time.Time, bool) { return t.ctx.Deadline() }
func (t *turn) Value(key any) any           { return t.ctx.Value(key) }

func (t *turn) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cause
}
