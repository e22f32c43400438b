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
	// lookEvery is the number of Lua instructions between two looks at the clock
	// while no watch runs. One instruction may fill an array of 16 MiB.
	lookEvery = 4

	// checkEvery is the number of steps of work in Go between two looks at the
	// call. A step is about a nanosecond: one byte or one value.
	checkEvery = 1 << 16
)

// maxNesting is how deep Lua may go into Go and back: pcall in pcall, sort in
// gsub, coroutine in coroutine. PUC Lua has the same limit under the name of
// LUAI_MAXCCALLS. Metamethods are not counted here: the limits on frames and on
// the Go stack hold for them.
const maxNesting = 200

// A call is one VM.Call from its beginning to its end, over all its stretches. It
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
	place   *Error      // where Lua was when the call failed
	thrown  error       // what Raise is raising
	began   time.Time   // when the stretch began
	clock   clock       // of the stretch
	steps   int         // instructions of the stretch, while no watch runs
	work    int         // steps of work in Go since the last check
	watch   *watch      // nil while none runs

	// fast is set while a watch runs and the call has neither failed nor is paused.
	// There is nothing to do before an instruction then.
	fast atomic.Bool

	mu    sync.Mutex
	cause error // why done is closed
}

// A running thread is one that runs, or that waits for the next one.
type running struct {
	thread    *lua.LState
	coroutine *lua.LState // the innermost coroutine, nil outside of all
	nesting   int         // of the call when the thread started
}

func newCall(ctx context.Context, v *VM) *call {
	return &call{vm: v, ctx: ctx, done: make(chan struct{})}
}

// watchContext makes the call fail when its context ends. The watch calls it at its
// first look. Most calls end earlier and need no goroutine that waits.
func (t *call) watchContext() {
	if t.unwatch == nil {
		t.unwatch = context.AfterFunc(t.ctx, func() { t.fail(context.Cause(t.ctx)) })
	}
}

// callOf returns the call that l runs for.
func callOf(l *lua.LState) *call { return l.Context().(*call) }

// fail makes the call end at its next instruction. The first cause counts.
func (t *call) fail(cause error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cause == nil {
		t.cause = cause
		t.fast.Store(false)
		close(t.done)
	}
}

// exceed fails the call because of a limit and returns the error.
func (t *call) exceed(k LimitKind) *LimitError {
	err := &LimitError{Kind: k, Limits: t.vm.limits}
	t.fail(err)
	return err
}

// start begins a stretch of Lua, stop ends it. The goroutine keeps its thread of the
// operating system meanwhile, because the processor time of that thread is what
// counts.
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

// pause runs f while Lua does not go on to its next instruction, nor Go to its next
// check. It would allocate more otherwise.
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
	if t.steps++; t.steps%lookEvery == 0 && time.Since(t.began) > watchAfter && t.clock.elapsed() > watchAfter {
		t.startWatch()
	}
}

// startWatch bounds the rest of the stretch in time and memory. Most stretches end
// before they have used the processor for watchAfter, and need no watch. A watch takes a
// timer and a look at the statistics of the runtime, together a tenth of the time of a
// short command.
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

// nest counts one step from Lua into a Go function that calls Lua. It raises an
// error if there are too many. The caller undoes it with unnest.
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

// innermost returns the thread that runs.
func (t *call) innermost() running { return t.threads[len(t.threads)-1] }

// spend counts steps of work that a Go function does for Lua. It raises the error of
// a call that has failed. Every loop over data of Lua calls it.
func (t *call) spend(l *lua.LState, steps int) {
	if err := t.tick(steps); err != nil {
		t.raise(l, err)
	}
}

// tick is spend for a function that returns the error.
func (t *call) tick(steps int) error {
	if t.work += steps; t.work < checkEvery {
		return nil
	}
	t.work = 0
	return t.failure()
}

// check raises the error of a call that has failed.
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

// The methods of context.Context. gopher-lua calls Done before each instruction, and
// looks whether the channel is closed; a nil channel takes least.

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
