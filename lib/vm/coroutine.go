package vm

import (
	"slices"

	lua "github.com/yuin/gopher-lua"
)

// coroutineLibrary returns Lua's library coroutine. In gopher-lua's version, threads nest
// without bound, resume turns the failure of the whole call into a false, and a coroutine
// that resumes one that waits for it crashes.
func (v *VM) coroutineLibrary() *lua.LTable {
	return v.library([]function{
		{"create", v.coCreate}, {"resume", v.coResume}, {"running", coRunning}, {"status", coStatus}, {"wrap", v.coWrap},
		{"yield", coYield},
	})
}

// newCoroutine returns a suspended thread. The first register holds its function until
// it starts.
func (v *VM) newCoroutine(l *lua.LState) *lua.LState {
	if v.body == nil {
		var err error
		if v.body, err = v.Load(bodyText, bodyName); err != nil {
			panic(err) // it is a constant
		}
	}
	l.Push(v.body)
	l.Push(checkFunction(l, 1))
	l.Push(v.root.NewFunction(setPanic))
	l.Push(v.root.NewFunction(noteCount))
	l.Call(3, 1)
	th := v.thread(nestedFrames, nil)
	th.Push(l.Get(-1))
	return th
}

// bodyText makes the outermost function of a coroutine. gopher-lua cannot end a thread
// whose outermost function is a Go function, and it does not distinguish one nil from no
// value. A chunk whose name begins with '=' is no file, and positions of errors omit it.
const (
	bodyText = `local fn, begin, note = ... return function(...) begin() return note(fn(...)) end`
	bodyName = "=coroutine"
)

// setPanic makes a coroutine raise errors in the words of PUC Lua. It runs inside the
// coroutine because gopher-lua sets the Panic function of a thread when the thread begins.
func setPanic(l *lua.LState) int {
	l.Panic = func(l *lua.LState) {
		panic(&lua.ApiError{Type: lua.ApiErrorRun, Object: reword(l, l.Get(-1))})
	}
	return 0
}

// noteCount notes how many values its coroutine returns.
func noteCount(l *lua.LState) int {
	callOf(l).count = l.GetTop()
	return l.GetTop()
}

func (v *VM) coCreate(l *lua.LState) int {
	return Push(l, v.newCoroutine(l))
}

func (v *VM) coResume(l *lua.LState) int {
	values, err := v.resume(l, checkThread(l), arguments(l, 2))
	return pushOutcome(l, values, err)
}

func checkThread(l *lua.LState) *lua.LState { return check[*lua.LState](l, 1, "coroutine") }

func (v *VM) coWrap(l *lua.LState) int {
	th := v.newCoroutine(l)
	l.Push(l.NewFunction(func(l *lua.LState) int {
		values, err := v.resume(l, th, arguments(l, 1))
		if err != nil {
			l.Error(raised(err), 0)
		}
		return Push(l, values...)
	}))
	return 1
}

// resume runs th until it yields or ends, and returns its values.
func (v *VM) resume(l, th *lua.LState, args []lua.LValue) ([]lua.LValue, error) {
	if status := statusOf(l, th); status != "suspended" {
		return nil, &lua.ApiError{Object: lua.LString("cannot resume " + status + " coroutine")}
	}
	var fn *lua.LFunction
	if !started(th) {
		fn = th.Get(1).(*lua.LFunction)
	}
	t := callOf(l)
	t.nest(l)
	t.enter(th, th)
	defer func() {
		t.leave()
		t.unnest()
		v.root.G.CurrentThread = l
	}()
	th.SetContext(t)
	_, err, values := l.Resume(th, fn, args...)
	if err != nil {
		value := raised(err)
		if s, ok := value.(lua.LString); ok && tooDeep(string(s)) {
			t.exceed(Depth)
		}
		t.check(l)
		return nil, &lua.ApiError{Object: value}
	}
	if t.count == 0 {
		values = nil // gopher-lua returns one nil
	}
	return values, nil
}

// coYield refuses to yield from below a Go function that waits for a result: gopher-lua
// would take an arbitrary value for that result.
func coYield(l *lua.LState) int {
	switch t := callOf(l); {
	case t.innermost().coroutine == nil:
		raiseError(l, "attempt to yield from outside a coroutine")
	case t.innermost().coroutine != l || t.innermost().nesting != t.nesting:
		raiseError(l, "attempt to yield across metamethod/C-call boundary")
	default:
		t.count = l.GetTop()
	}
	return -1
}

func coRunning(l *lua.LState) int {
	if th := callOf(l).innermost().coroutine; th != nil {
		return Push(l, th)
	}
	return Push(l, lua.LNil)
}

func coStatus(l *lua.LState) int {
	return Push(l, lua.LString(statusOf(l, checkThread(l))))
}

// statusOf returns the status of th as the running thread l sees it.
func statusOf(l, th *lua.LState) string {
	t := callOf(l)
	switch {
	case th.Dead:
		return "dead"
	case th == t.innermost().coroutine:
		return "running"
	}
	if slices.ContainsFunc(t.threads, func(r running) bool { return r.coroutine == th }) {
		return "normal"
	}
	return "suspended"
}

func started(th *lua.LState) bool {
	_, ok := th.GetStack(0)
	return ok
}
