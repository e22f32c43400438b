package vm

import (
	"errors"
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// What gopher-lua panics with, and raises, when a thread is too deep.
const (
	framesFull   = "lua callstack overflow"
	registryFull = "registry overflow"
)

// raise is the Panic function of every guarded thread: it raises the value on top
// of l's stack. gopher-lua's own writes a traceback in time quadratic in the
// depth, which for a deep recursion takes minutes; an error that has a StackTrace
// already is spared that.
func raise(l *lua.LState) { panic(turnOf(l).apiError(l, l.Get(-1))) }

// raise raises err in l.
func (t *turn) raise(l *lua.LState, err error) {
	panic(t.apiError(l, lua.LString(err.Error())))
}

// apiError makes the error that raises value in l. Its cause is an *Error.
func (t *turn) apiError(l *lua.LState, value lua.LValue) *lua.ApiError {
	if s, ok := value.(lua.LString); ok && tooDeep(string(s)) {
		t.exceed(Depth)
	}
	e := describe(l, value)
	e.Cause, t.thrown = t.thrown, nil
	if t.Err() != nil {
		// Each pcall on the way out raises it again; the first place counts.
		if t.place == nil {
			t.place = e
		}
		e = t.place
	}
	return &lua.ApiError{Type: lua.ApiErrorRun, Object: value, StackTrace: "-", Cause: e}
}

// Raise raises err in l, for a Go function that l called. Lua sees its text, with
// the place of the call in front; if nothing catches it, it is the cause of the
// *Error that Call returns.
func Raise(l *lua.LState, err error) {
	turnOf(l).thrown = err
	l.Error(lua.LString(where(l, 1)+err.Error()), 0)
}

func tooDeep(message string) bool {
	return message == framesFull || strings.HasSuffix(message, registryFull)
}

// guarded is the Go function between a PCall and the function to be called, which
// is its first argument: it puts raise in place of what PCall has set, and makes
// proper errors of panics that are none.
func guarded(l *lua.LState) int {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *lua.ApiError:
			panic(r)
		default:
			panic(turnOf(l).apiError(l, lua.LString(fmt.Sprint(r))))
		}
	}()
	l.Panic = raise
	l.Call(l.GetTop()-1, lua.MultRet)
	return l.GetTop()
}

// protect calls the function at the bottom of l's stack with what is above it and
// leaves the results there instead. A turn that has failed is not protected.
func (v *VM) protect(l *lua.LState) error {
	t := turnOf(l)
	t.nest(l)
	defer t.unnest()
	l.Insert(v.guard, 1)
	err := l.PCall(l.GetTop()-1, lua.MultRet, nil)
	if err != nil && t.Err() != nil {
		panic(err)
	}
	return err
}

// raised returns the value that Lua raised.
func raised(err error) lua.LValue {
	var e *lua.ApiError
	if errors.As(err, &e) {
		return e.Object
	}
	return lua.LString(err.Error())
}

func (v *VM) pcall(l *lua.LState) int {
	l.CheckAny(1)
	if err := v.protect(l); err != nil {
		l.SetTop(0)
		l.Push(lua.LFalse)
		l.Push(raised(err))
		return 2
	}
	l.Insert(lua.LTrue, 1)
	return l.GetTop()
}

// xpcall calls its handler when the stack is already gone, which nothing here can
// tell, there being no debug library. No handler is one that changes nothing:
// compiled Fennel passes debug.traceback, which is nil.
func (v *VM) xpcall(l *lua.LState) int {
	l.CheckAny(1)
	handler := l.Get(2)
	l.SetTop(1)
	err := v.protect(l)
	if err == nil {
		l.Insert(lua.LTrue, 1)
		return l.GetTop()
	}
	l.SetTop(0)
	value := raised(err)
	if handler == lua.LNil {
		l.Push(lua.LFalse)
		l.Push(value)
		return 2
	}
	l.Push(handler)
	l.Push(value)
	if err := v.protect(l); err != nil {
		l.SetTop(0)
		l.Push(raised(err))
	}
	l.Insert(lua.LFalse, 1)
	return l.GetTop()
}

// explain makes the error of a Call out of what PCall returned.
func (t *turn) explain(err error) error {
	e := &Error{Message: err.Error()}
	var raised *lua.ApiError
	if errors.As(err, &raised) {
		errors.As(raised.Cause, &e)
	}
	if cause := t.Err(); cause != nil {
		e.Message, e.Cause = cause.Error(), cause
	}
	return e
}
