package vm

import (
	"errors"
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// gopher-lua's messages for a thread that is too deep.
const (
	framesFull   = "lua callstack overflow"
	registryFull = "registry overflow"
)

// raise is the Panic function of every protected thread: it raises the value on top
// of l's stack. gopher-lua's own function writes a traceback in time quadratic in the
// depth, which takes minutes for a deep recursion. It skips errors that have a StackTrace.
func raise(l *lua.LState) { panic(callOf(l).apiError(l, reword(l, l.Get(-1)))) }

// raise raises err in l.
func (t *call) raise(l *lua.LState, err error) {
	panic(t.apiError(l, lua.LString(err.Error())))
}

// apiError returns the error that raises value in l. Its cause is an *Error.
func (t *call) apiError(l *lua.LState, value lua.LValue) *lua.ApiError {
	if s, ok := value.(lua.LString); ok && tooDeep(string(s)) {
		t.exceed(Depth)
	}
	e := describe(l, value)
	e.Cause, t.thrown = t.thrown, nil
	if t.Err() != nil {
		// Each pcall on the way out raises it again; the first position counts.
		if t.failed == nil {
			t.failed = e
		}
		e = t.failed
	}
	return &lua.ApiError{Type: lua.ApiErrorRun, Object: value, StackTrace: "-", Cause: e}
}

// Raise raises err in l, for a Go function that l called. Lua sees its text after the
// position of the call. If Lua does not catch it, it is the cause of the *Error that Call
// returns.
func Raise(l *lua.LState, err error) {
	callOf(l).thrown = err
	l.Error(lua.LString(where(l, 1)+err.Error()), 0)
}

func tooDeep(message string) bool {
	return message == framesFull || strings.HasSuffix(message, registryFull)
}

// protected is the outermost function of a thread. It calls its first argument with
// the others. It replaces the Panic function that PCall has set, and turns other panics
// into Lua errors.
func protected(l *lua.LState) int {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *lua.ApiError:
			panic(r)
		default:
			l.Error(lua.LString(fmt.Sprint(r)), 0)
		}
	}()
	l.Panic = raise
	l.Call(l.GetTop()-1, lua.MultRet)
	return l.GetTop()
}

// protect calls fn and returns its results, or the error that it raised. If the whole call
// has failed, that error is not caught.
//
// fn runs on its own Lua thread. When gopher-lua raises an error, it detaches the closures
// of all functions on the thread from the variables that they share, even of functions that
// continue. With a thread of its own, fn cannot do that to its callers.
func (v *VM) protect(l *lua.LState, fn lua.LValue, args ...lua.LValue) ([]lua.LValue, error) {
	if _, ok := fn.(*lua.LFunction); !ok && l.GetMetaField(fn, "__call") == lua.LNil {
		message := fmt.Sprintf("attempt to call a %s value", fn.Type())
		return nil, &lua.ApiError{Object: lua.LString(message)}
	}
	t := callOf(l)
	t.nest(l)
	defer t.unnest()
	thread := v.nested.take(v, nestedFrames, t)
	t.enter(thread, t.innermost().coroutine)
	defer func() {
		t.leave()
		v.root.G.CurrentThread = l
	}()
	v.root.G.CurrentThread = thread
	results, err := v.run(thread, fn, args)
	if err != nil && t.Err() != nil {
		panic(err)
	}
	v.nested.put(thread)
	return results, err
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
	results, err := v.protect(l, checkAny(l, 1), arguments(l, 2)...)
	return pushOutcome(l, results, err)
}

// pushOutcome pushes the results of pcall and resume.
func pushOutcome(l *lua.LState, results []lua.LValue, err error) int {
	if err != nil {
		return Push(l, lua.LFalse, raised(err))
	}
	l.Push(lua.LTrue)
	return 1 + Push(l, results...)
}

// xpcall calls its handler when the stack is already unwound. Without a debug library
// Lua cannot see the difference. A handler of nil changes nothing: compiled Fennel
// passes debug.traceback, which is nil. A handler that fails is called with its own
// error, as in PUC Lua, until the nesting is too deep.
func (v *VM) xpcall(l *lua.LState) int {
	fn, handler := checkAny(l, 1), l.Get(2)
	results, err := v.protect(l, fn)
	if err == nil || handler == lua.LNil {
		return pushOutcome(l, results, err)
	}
	handled := lua.LValue(lua.LString("error in error handling"))
	for range maxNesting {
		results, failed := v.protect(l, handler, raised(err))
		if failed == nil {
			handled = First(results)
			break
		}
		err = failed
	}
	return Push(l, lua.LFalse, handled)
}

// First returns the first of values, or nil.
func First(values []lua.LValue) lua.LValue {
	if len(values) == 0 {
		return lua.LNil
	}
	return values[0]
}

// explain turns an error of PCall into the error of Call.
func (t *call) explain(err error) error {
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
