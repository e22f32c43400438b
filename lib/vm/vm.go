// Package vm is a sandboxed Lua 5.1 state with bounds on time, memory and depth.
//
// It runs text that strangers push. Lua sees no file, no process, no environment
// and no loader; what it may reach, the package's user puts in. Whatever the text
// does, the process lives: a loop, an allocation, a recursion or a pattern that
// goes past the Limits ends in an error that no pcall can catch.
//
// Many goroutines may use one VM. Lua itself is entered by one at a time, the
// holder of the Lua lock; a Go function that waits for something else gives the
// lock away meanwhile with Outside.
package vm

import (
	"context"
	"slices"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// Limits bound what Lua may use. A zero field means that of DefaultLimits.
type Limits struct {
	Time   time.Duration // of one uninterrupted stretch of Lua
	Memory uint64        // by which the heap may grow over what it was before, in bytes
}

// DefaultLimits leave room for any pipeline that was written in good faith.
var DefaultLimits = Limits{Time: 5 * time.Second, Memory: 256 << 20}

// Depths, in call frames. That of a thread lets a recursion over a long list end
// well; a coroutine gets Lua 5.1's own limit, since its frame table is allocated
// with it. gopher-lua can count to 524,280 frames.
const (
	threadFrames    = 200_000
	coroutineFrames = 16_000
	rootFrames      = 8 // of a state that runs nothing itself
)

// The registry holds the values of all frames of a thread, 16 bytes each. It
// starts small, because each coroutine has one, and when a recursion goes deep it
// is copied in a few steps only.
const (
	registryStart = 1 << 10
	rootRegistry  = 1 << 7
	registryFrame = 20 // values a frame, as far as the number of frames counts
	registrySteps = 16
)

func init() {
	// gopher-lua stores t[n] in an array that it fills up to n, in one
	// instruction; by its own default that is up to a gigabyte for 't[6e7]=1'.
	// Indices from here on live in a map instead, and '#' does not count them.
	lua.MaxArrayIndex = 1 << 22
}

// A VM is one Lua state.
type VM struct {
	limits    Limits
	root      *lua.LState // holds the globals; runs nothing itself
	lock      chan struct{}
	guard     *lua.LFunction // guarded
	concat    *lua.LFunction // concat
	viaLua    *lua.LFunction // viaLuaText, once it was needed
	loaded    *lua.LTable    // package.loaded
	preload   *lua.LTable    // package.preload
	loading   lua.LValue     // in loaded while a module is being made
	searchers []Searcher
	print     func(string)
	idle      *lua.LState // a thread that a Call has done with; nil for none
	baseline  uint64      // heap of the process before Lua took any, 0 while that is not known
}

// New returns a VM with the safe part of Lua's libraries. What Lua prints goes
// nowhere until SetPrint.
func New(l Limits) *VM {
	if l.Time == 0 {
		l.Time = DefaultLimits.Time
	}
	if l.Memory == 0 {
		l.Memory = DefaultLimits.Memory
	}
	v := &VM{limits: l, lock: make(chan struct{}, 1), print: func(string) {}}
	v.root = lua.NewState(lua.Options{RegistrySize: rootRegistry, CallStackSize: rootFrames, SkipOpenLibs: true})
	v.root.G.MainThread = v.root
	v.root.G.CurrentThread = v.root
	v.guard = v.root.NewFunction(guarded)
	v.concat = v.root.NewFunction(concat)
	v.loading = v.root.NewUserData()
	v.openLibraries()
	return v
}

func options(frames int) lua.Options {
	return lua.Options{
		CallStackSize:       frames,
		RegistrySize:        registryStart,
		RegistryGrowStep:    frames * registryFrame / registrySteps,
		RegistryMaxSize:     frames * registryFrame,
		MinimizeStackMemory: true,
		SkipOpenLibs:        true,
	}
}

// State returns the state that holds the globals, for setting them up before
// anything runs. Nothing may be called on it.
func (v *VM) State() *lua.LState { return v.root }

// Globals returns the names of the globals, sorted.
func (v *VM) Globals() []string {
	var names []string
	v.root.G.Global.ForEach(func(key, _ lua.LValue) { names = append(names, key.String()) })
	slices.Sort(names)
	return names
}

// SetPrint makes f get each line that Lua prints. f runs under the Lua lock.
func (v *VM) SetPrint(f func(string)) { v.print = f }

// Close frees the state. Nothing may run in it.
func (v *VM) Close() { v.root.Close() }

// Call calls fn on a Lua thread of its own and returns its results. It waits for
// the Lua lock first. A Go function that Lua called must not use it: it has the
// lock already, and calls back by its LState's own Call.
//
// An error is an *Error, whose cause is a *LimitError where a limit was reached,
// and ctx's cause where ctx ended.
func (v *VM) Call(ctx context.Context, fn *lua.LFunction, args ...lua.LValue) ([]lua.LValue, error) {
	if err := v.acquire(ctx); err != nil {
		return nil, &Error{Message: err.Error(), Cause: err}
	}
	t := newTurn(ctx, v)
	defer t.end()
	l := v.takeThread(t)
	v.begin(t, l)
	defer v.leave(t)

	l.Push(v.guard)
	l.Push(fn)
	for _, a := range args {
		l.Push(a)
	}
	if err := l.PCall(len(args)+1, lua.MultRet, nil); err != nil {
		return nil, t.explain(err)
	}
	results := make([]lua.LValue, l.GetTop())
	for i := range results {
		results[i] = l.Get(i + 1)
	}
	l.SetTop(0)
	v.idle = l
	return results, nil
}

// takeThread returns a thread for a Call that runs under t: that of an earlier one
// which came to a good end, or a new one, whose table of frames is dear. Lua has no
// name for it (coroutine.running is nil there), so nothing is left of its first use.
// The Lua lock is held.
func (v *VM) takeThread(t *turn) *lua.LState {
	l := v.idle
	if l == nil {
		return v.thread(threadFrames, t)
	}
	v.idle = nil
	l.SetContext(t)
	return l
}

// acquire takes the Lua lock, or returns the cause of ctx's end.
func (v *VM) acquire(ctx context.Context) error {
	if ctx.Err() != nil { // or else the lock might be as ready as Done
		return context.Cause(ctx)
	}
	select {
	case v.lock <- struct{}{}:
		return nil
	default: // to ask for Done makes a command listen for signals
	}
	select {
	case v.lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// thread returns a new Lua thread that runs under t; nil for none yet.
func (v *VM) thread(frames int, t *turn) *lua.LState {
	v.root.Options = options(frames) // what NewThread goes by
	l, _ := v.root.NewThread()
	if t != nil {
		l.SetContext(t)
	}
	return l
}

// Outside runs f without the Lua lock, for a Go function that l called and that
// has to wait: for a command, say. f must not touch Lua. When Outside returns,
// the lock is held again and a new stretch of Lua time has begun.
func (v *VM) Outside(l *lua.LState, f func()) {
	t := turnOf(l)
	v.leave(t)
	defer func() {
		v.lock <- struct{}{}
		v.begin(t, l)
	}()
	f()
}

// begin starts a stretch of Lua on thread l for the holder of the lock.
// gopher-lua keeps the running thread in a place that all threads share, so it
// has to be put right each time another goroutine may have been inside.
func (v *VM) begin(t *turn, l *lua.LState) {
	v.root.G.CurrentThread = l
	t.start()
}

// leave ends the stretch and gives the lock away.
func (v *VM) leave(t *turn) {
	t.stop()
	<-v.lock
}
