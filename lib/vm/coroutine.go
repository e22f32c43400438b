package vm

import lua "github.com/yuin/gopher-lua"

// coroutineLibrary returns the library of that name. gopher-lua's makes threads
// that nest without bound, hides a failed turn behind a false, and crashes on a
// coroutine that resumes what waits for it.
func (v *VM) coroutineLibrary() *lua.LTable {
	library := v.root.NewTable()
	v.fill(library, []function{
		{"create", v.coCreate}, {"resume", v.coResume}, {"running", coRunning}, {"status", coStatus}, {"wrap", v.coWrap},
		{"yield", coYield},
	})
	return library
}

// newCoroutine returns a suspended thread, which keeps its function in its first
// register until it is started.
func (v *VM) newCoroutine(l *lua.LState) *lua.LState {
	fn := l.CheckFunction(1)
	if fn.IsG {
		// gopher-lua cannot end a thread whose outermost function is Go's.
		l.Push(v.makeViaLua())
		l.Push(fn)
		l.Call(1, 1)
		fn = l.Get(-1).(*lua.LFunction)
	}
	th := v.thread(coroutineFrames, nil)
	th.Push(fn)
	return th
}

// viaLuaText makes a Lua function of a Go function. A chunk whose name begins with
// '=' is no file and stands in no traceback.
const (
	viaLuaText = `local fn = ... return function(...) return fn(...) end`
	viaLuaName = "=go"
)

func (v *VM) makeViaLua() *lua.LFunction {
	if v.viaLua == nil {
		var err error
		if v.viaLua, err = v.Load(viaLuaText, viaLuaName); err != nil {
			panic(err) // it is a constant
		}
	}
	return v.viaLua
}

func (v *VM) coCreate(l *lua.LState) int {
	l.Push(v.newCoroutine(l))
	return 1
}

func (v *VM) coResume(l *lua.LState) int {
	th := l.CheckThread(1)
	values, err := v.resume(l, th, arguments(l, 2))
	if err != nil {
		l.Push(lua.LFalse)
		l.Push(raised(err))
		return 2
	}
	l.Push(lua.LTrue)
	return 1 + pushAll(l, values)
}

func (v *VM) coWrap(l *lua.LState) int {
	th := v.newCoroutine(l)
	l.Push(l.NewFunction(func(l *lua.LState) int {
		values, err := v.resume(l, th, arguments(l, 1))
		if err != nil {
			l.Error(raised(err), 0)
		}
		return pushAll(l, values)
	}))
	return 1
}

// resume runs th until it yields or ends, and returns what it gave.
func (v *VM) resume(l, th *lua.LState, args []lua.LValue) ([]lua.LValue, error) {
	if status := statusOf(l, th); status != "suspended" {
		return nil, &lua.ApiError{Object: lua.LString("cannot resume " + status + " coroutine")}
	}
	var fn *lua.LFunction
	if !started(th) {
		fn = th.Get(1).(*lua.LFunction)
	}
	t := turnOf(l)
	t.nest(l)
	outer := t.resumed
	t.resumed = t.nesting
	defer func() {
		t.resumed = outer
		t.unnest()
		v.root.G.CurrentThread = l
	}()
	th.SetContext(t)
	_, err, values := l.Resume(th, fn, args...)
	if err != nil {
		if s, ok := raised(err).(lua.LString); ok && tooDeep(string(s)) {
			t.exceed(Depth)
		}
		t.check(l)
	}
	return values, err
}

// coYield refuses to leave a Go function behind that waits for a result: it
// would get whatever lies where that was to be.
func coYield(l *lua.LState) int {
	switch t := turnOf(l); {
	case t.resumed < 0:
		l.RaiseError("attempt to yield from outside a coroutine")
	case t.resumed != t.nesting:
		l.RaiseError("attempt to yield across a Go function")
	}
	return -1
}

func coRunning(l *lua.LState) int {
	if l.Parent == nil {
		l.Push(lua.LNil)
	} else {
		l.Push(l)
	}
	return 1
}

func coStatus(l *lua.LState) int {
	l.Push(lua.LString(statusOf(l, l.CheckThread(1))))
	return 1
}

// statusOf returns the status of th as the running thread l sees it.
func statusOf(l, th *lua.LState) string {
	switch {
	case th.Dead:
		return "dead"
	case th == l:
		return "running"
	}
	for p := l.Parent; p != nil; p = p.Parent {
		if p == th {
			return "normal"
		}
	}
	return "suspended"
}

func started(th *lua.LState) bool {
	_, ok := th.GetStack(0)
	return ok
}

func arguments(l *lua.LState, from int) []lua.LValue {
	var args []lua.LValue
	for i := from; i <= l.GetTop(); i++ {
		args = append(args, l.Get(i))
	}
	return args
}

func pushAll(l *lua.LState, values []lua.LValue) int {
	for _, value := range values {
		l.Push(value)
	}
	return len(values)
}
