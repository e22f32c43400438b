// Package vm is a sandboxed Lua 5.1 state with limits on time, memory and depth.
//
// It runs code that strangers push. Lua sees no file, no process, no environment
// and no loader, only what the package's user adds. A loop, an allocation, a recursion
// or a pattern that exceeds the Limits ends in an error that no pcall can catch.
//
// Many goroutines may use one VM. One at a time runs Lua: the holder of the Lua
// lock. A Go function that waits for something else releases the lock with WithoutLock
// while it waits.
package vm

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// Limits bound what Lua may use. A zero field means its value in DefaultLimits.
type Limits struct {
	Time   time.Duration // processor time of one uninterrupted stretch of Lua
	Memory uint64        // how much the heap may grow, in bytes
}

// DefaultLimits leave room for any pipeline that was written in good faith.
var DefaultLimits = Limits{Time: 5 * time.Second, Memory: 256 << 20}

// Depths, in call frames. A thread of Call allows for a recursion over a long list.
// A coroutine and a function below pcall get the depth of Lua 5.1 (LUAI_MAXCALLS),
// because their whole frame table is allocated at once. gopher-lua can count to 524,280.
const (
	callFrames   = 200_000
	nestedFrames = 20_000
	rootFrames   = 8 // the root state runs nothing itself
)

// The registry holds the values of all frames of a thread, 16 bytes each. It starts
// small because each coroutine has one. It grows in a few large steps.
const (
	registryStart = 1 << 10
	rootRegistry  = 1 << 7
	registryFrame = 20 // values for each frame
	registrySteps = 16
)

func init() {
	// gopher-lua stores t[n] in an array that it fills up to n, in one instruction;
	// by default up to a gigabyte for 't[6e7]=1'. Indices from this limit on are stored
	// in a map instead, and '#' does not count them.
	lua.MaxArrayIndex = 1 << 19
}

// A VM is one Lua state.
type VM struct {
	limits    Limits
	root      *lua.LState // holds the globals; runs nothing itself
	lock      chan struct{}
	protector *lua.LFunction // protected
	concat    *lua.LFunction // concat
	modulo    *lua.LFunction // modulo
	body      *lua.LFunction // bodyText, nil until first needed
	loaded    *lua.LTable    // package.loaded
	preload   *lua.LTable    // package.preload
	loading   lua.LValue     // marks a module in loaded while it runs
	searchers []Searcher
	print     func(string)
	idle      threads    // for calls
	nested    threads    // for functions below pcall
	random    *rand.Rand // nil until first needed
	current   *call      // the call that holds the Lua lock, or nil
	baseline  uint64     // heap of the process before Lua used any, 0 if unknown
}

// New returns a VM with the safe part of Lua's libraries. Lua's print discards its text
// until SetPrint is called.
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
	v.protector = v.root.NewFunction(protected)
	v.concat = v.root.NewFunction(concat)
	v.modulo = v.root.NewFunction(modulo)
	v.loading = v.root.NewUserData()
	v.openLibraries()
	return v
}

// State returns the state that holds the globals, so that the caller can set them before
// Lua runs. Functions must not be called on it.
func (v *VM) State() *lua.LState { return v.root }

// Globals returns the names of the globals, sorted.
func (v *VM) Globals() []string {
	var names []string
	v.root.G.Global.ForEach(func(key, _ lua.LValue) { names = append(names, key.String()) })
	slices.Sort(names)
	return names
}

// SetPrint makes f receive each line that Lua prints. f runs under the Lua lock.
func (v *VM) SetPrint(f func(string)) { v.print = f }

// Close frees the state. No Lua may be running.
func (v *VM) Close() { v.root.Close() }

// Call calls fn on its own Lua thread and returns its results. It waits for
// the Lua lock first. A Go function that Lua called must not use it: it already has the
// lock, and calls Lua by its LState's Call.
//
// A call within a Bound counts toward the Bound's stretch. An error is an *Error. Its cause
// is a *LimitError if a limit was reached, and the cause of ctx if ctx ended.
func (v *VM) Call(ctx context.Context, fn *lua.LFunction, args ...lua.LValue) ([]lua.LValue, error) {
	if err := v.acquire(ctx); err != nil {
		return nil, &Error{Message: err.Error(), Cause: err}
	}
	t := v.current // not nil only within a Bound: no Lua is running
	bounded := t != nil
	if !bounded {
		t = newCall(ctx, v)
		defer t.end()
	}
	l := v.idle.take(v, callFrames, t)
	if bounded {
		v.root.G.CurrentThread = l
		defer func() { <-v.lock }()
	} else {
		v.begin(t, l)
		defer v.leave(t)
	}
	t.enter(l, nil)
	defer t.leave()

	results, err := v.run(l, fn, args)
	if err != nil {
		return nil, t.explain(err)
	}
	v.idle.put(l)
	return results, nil
}

// run calls fn on an idle thread. If it returns no error, the thread is idle again.
func (v *VM) run(l *lua.LState, fn lua.LValue, args []lua.LValue) ([]lua.LValue, error) {
	Push(l, v.protector, fn)
	Push(l, args...)
	if err := l.PCall(len(args)+1, lua.MultRet, nil); err != nil {
		return nil, err
	}
	results := arguments(l, 1)
	l.SetTop(0)
	return results, nil
}

// acquire takes the Lua lock. If ctx ends first, it returns the cause.
func (v *VM) acquire(ctx context.Context) error {
	if ctx.Err() != nil { // otherwise select might choose a free lock
		return context.Cause(ctx)
	}
	select {
	case v.lock <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// WithoutLock runs f without the Lua lock, for a Go function that l called and that
// has to wait, for example for a command. f must not use Lua. When WithoutLock returns,
// the lock is held again and a new stretch of Lua time has begun.
func (v *VM) WithoutLock(l *lua.LState, f func()) {
	t := callOf(l)
	v.leave(t)
	defer func() {
		v.lock <- struct{}{}
		v.begin(t, l)
	}()
	f()
}

// begin starts a stretch of Lua on thread l for the holder of the lock.
// gopher-lua keeps the running thread in a field that all threads share. Another
// goroutine may have changed it.
func (v *VM) begin(t *call, l *lua.LState) {
	v.root.G.CurrentThread = l
	t.start()
}

// leave ends the stretch and releases the lock.
func (v *VM) leave(t *call) {
	t.stop()
	<-v.lock
}
