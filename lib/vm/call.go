package vm

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	lua "github.com/yuin/gopher-lua"
)

const (
	// clockInterval is the number of Lua instructions between two readings of the clock
	// while no watch runs. One instruction may fill an array of 16 MiB.
	clockInterval = 4

	// checkInterval is the number of steps of work in Go between two checks whether the
	// call has failed. A step takes about a nanosecond: one byte or one value.
	checkInterval = 1 << 16
)

// maxNesting is how deep Go functions that call Lua may nest: pcall in pcall, sort in
// gsub, coroutine in coroutine. PUC Lua has the same limit, LUAI_MAXCCALLS. Metamethods
// are not counted here: the limits on frames and on the Go stack apply to them.
const maxNesting = 200

// A call is one VM.Call from its beginning to its end, including all its stretches. It
// is the context of every Lua thread that runs for it: gopher-lua reads Done before
// each instruction and raises an error if that channel is closed. A call that has
// failed therefore stays failed, however often Lua catches the error.
type call struct {
	vm      *VM
	ctx     context.Context
	done    chan struct{}
	unwatch func() bool // stops waiting for ctx; nil before watchContext
	nesting int         // how often Lua is inside a Go function that calls Lua
	threads []running   // the outermost first
	count   int         // how many values a coroutine has yielded or returned
	failed  *Error      // the error with the position at which the call failed
	thrown  error       // the error that Raise is raising
	began   time.Time   // when the stretch began
	clock   clock       // of the stretch
	steps   int         // instructions of the stretch, while no watch runs
	work    int         // steps of work in Go since the last check
	watch   *watch      // nil while none runs

	// fast is set while a watch runs and the call has neither failed nor is paused.
	// Instructions then need no check.
	fast atomic.Bool

	mu    sync.Mutex
	cause error // why done is closed
}

// A running thread is executing, or waiting for a thread that it started.
type running struct {
	thread    *lua.LState
	coroutine *lua.LState // the innermost coroutine, nil outside all coroutines
	nesting   int         // call.nesting when the thread started
}

func newCall(ctx context.Context, v *VM) *call {
	return &call{vm: v, ctx: ctx, done: make(chan struct{})}
}

// watchContext makes the call fail when its context ends. The watch calls it at its
// first check. Most calls end earlier and need no goroutine that waits.
func (t *call) watchContext() {
	if t.unwatch == nil {
		t.unwatch = context.AfterFunc(t.ctx, func() { t.fail(context.Cause(t.ctx)) })
	}
}

// callOf returns the call that l runs for.
func callOf(l *lua.LState) *call { return l.Context().(*call) }

// fail makes the call end at its next instruction. Only the first cause is kept.
func (t *call) fail(cause error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cause == nil {
		t.cause = cause
		t.fast.Store(false)
		close(t.done)
	}
}

// exceed fails the call because it exceeded a limit, and returns the error.
func (t *call) exceed(k LimitKind) *LimitError {
	err := &LimitError{Kind: k, Limits: t.vm.limits}
	t.fail(err)
	return err
}

// start begins a stretch of Lua, stop ends it. In between, the goroutine stays on one
// operating system thread, because that thread's processor time is measured.
func (t *call) start() {
	runtime.LockOSThread()
	if t.ctx.Err() != nil {
		t.fail(context.Cause(t.ctx))
	}
	t.began, t.clock, t.steps = time.Now(), threadClock(), 0
	t.vm.current = t
}

func (t *call) stop() {
	t.vm.current = nil
	if t.watch != nil {
		t.watch.stop()
		t.watch = nil
		t.fast.Store(false)
	}
	runtime.UnlockOSThread()
}

// pause runs f while Lua is stopped before its next instruction, or Go work for Lua before
// its next check. Otherwise they would go on allocating.
func (t *call) pause(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fast.Store(false)
	f()
	t.fast.Store(t.cause == nil)
}

// step counts an instruction of Lua while no watch runs, and waits for the end of a
// pause.
func (t *call) step() {
	if t.watch != nil {
		t.Err() // waits for the mutex
		return
	}
	if t.steps++; t.steps%clockInterval == 0 && time.Since(t.began) > watchAfter && t.clock.elapsed() > watchAfter {
		t.startWatch()
	}
}

// startWatch bounds the time and memory of the rest of the stretch. Most stretches end
// before they have used the processor for watchAfter, and need no watch. Starting a timer
// and reading the runtime's statistics takes a tenth of the time of a short command.
func (t *call) startWatch() {
	t.watch = startWatch(t)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fast.Store(t.cause == nil)
}

func (t *call) end() {
	if t.unwatch != nil {
		t.unwatch()
	}
}

// nest counts a Go function that calls Lua. It raises an error if they are nested too
// deep. The caller undoes it with unnest.
func (t *call) nest(l *lua.LState) {
	if t.nesting >= maxNesting {
		t.raise(l, t.exceed(Depth))
	}
	t.nesting++
}

func (t *call) unnest() { t.nesting-- }

// enter notes that a thread runs from here on; leave undoes it.
func (t *call) enter(thread, coroutine *lua.LState) {
	t.threads = append(t.threads, running{thread, coroutine, t.nesting})
}

func (t *call) leave() { t.threads = t.threads[:len(t.threads)-1] }

// innermost returns the thread that is executing.
func (t *call) innermost() running { return t.threads[len(t.threads)-1] }

// spend counts steps of work that a Go function does for Lua. If the call has failed, it
// raises the error. Every loop over Lua's data must call it.
func (t *call) spend(l *lua.LState, steps int) {
	if err := t.tick(steps); err != nil {
		t.raise(l, err)
	}
}

// tick is like spend, but returns the error.
func (t *call) tick(steps int) error {
	if t.work += steps; t.work < checkInterval {
		return nil
	}
	t.work = 0
	return t.failure()
}

// check raises the call's error if it has failed.
func (t *call) check(l *lua.LState) {
	if err := t.failure(); err != nil {
		t.raise(l, err)
	}
}

// failure returns why the call has failed, or nil. It starts the watch.
func (t *call) failure() error {
	if t.watch == nil {
		t.startWatch()
	}
	return t.Err()
}

// The methods of context.Context. gopher-lua calls Done before each instruction and checks
// whether the channel is closed; a nil channel is the fastest to check.

func (t *call) Done() <-chan struct{} {
	if t.fast.Load() {
		return nil
	}
	t.step()
	return t.done
}

func (t *call) Deadline() (time.Time, bool) { return t.ctx.Deadline() }
func (t *call) Value(key any) any           { return t.ctx.Value(key) }

func (t *call) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cause
}
