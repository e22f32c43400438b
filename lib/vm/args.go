package vm

import (
	"fmt"
	"math"

	lua "github.com/yuin/gopher-lua"
)

// Arguments of library functions, checked and converted as PUC Lua does it (lauxlib.c):
// a number is a string where a string is expected, and a string that tonumber reads is
// a number. gopher-lua's own checks convert less, and read other numbers.

// argError raises the error of a bad argument of the running function.
func argError(l *lua.LState, n int, message string) {
	name := "?"
	if dbg, ok := l.GetStack(0); ok {
		if _, err := l.GetInfo("n", dbg, lua.LNil); err == nil && dbg.Name != "" && dbg.Name[0] != '(' {
			name = dbg.Name
		}
	}
	raiseError(l, "bad argument #%d to '%s' (%s)", n, name, message)
}

// raiseError raises a message with the place of the Lua code that called the running
// Go function.
func raiseError(l *lua.LState, format string, args ...any) {
	l.Error(lua.LString(where(l, 1)+fmt.Sprintf(format, args...)), 0)
}

func typeError(l *lua.LState, n int, expected string) {
	got := "no value"
	if n <= l.GetTop() {
		got = l.Get(n).Type().String()
	}
	argError(l, n, expected+" expected, got "+got)
}

func checkAny(l *lua.LState, n int) lua.LValue {
	if n > l.GetTop() {
		argError(l, n, "value expected")
	}
	return l.Get(n)
}

func checkTable(l *lua.LState, n int) *lua.LTable {
	t, ok := l.Get(n).(*lua.LTable)
	if !ok {
		typeError(l, n, "table")
	}
	return t
}

func checkFunction(l *lua.LState, n int) *lua.LFunction {
	f, ok := l.Get(n).(*lua.LFunction)
	if !ok {
		typeError(l, n, "function")
	}
	return f
}

func checkThread(l *lua.LState, n int) *lua.LState {
	th, ok := l.Get(n).(*lua.LState)
	if !ok {
		typeError(l, n, "coroutine")
	}
	return th
}

func checkNumber(l *lua.LState, n int) lua.LNumber {
	number, ok := toNumber(l.Get(n))
	if !ok {
		typeError(l, n, "number")
	}
	return number
}

// checkInt returns a number without its fraction. Numbers that are too large become
// the largest int; not-a-number is 0.
func checkInt(l *lua.LState, n int) int { return truncate(checkNumber(l, n)) }

func truncate(n lua.LNumber) int {
	switch f := float64(n); {
	case math.IsNaN(f):
		return 0
	case f >= math.MaxInt:
		return math.MaxInt
	case f <= math.MinInt:
		return math.MinInt
	}
	return int(n)
}

func checkString(l *lua.LState, n int) string {
	s, ok := toText(l.Get(n))
	if !ok {
		typeError(l, n, "string")
	}
	return s
}

func optInt(l *lua.LState, n, otherwise int) int {
	if l.Get(n) == lua.LNil {
		return otherwise
	}
	return checkInt(l, n)
}

func optString(l *lua.LState, n int, otherwise string) string {
	if l.Get(n) == lua.LNil {
		return otherwise
	}
	return checkString(l, n)
}
