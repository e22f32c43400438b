package vm

import (
	"fmt"
	"math"

	lua "github.com/yuin/gopher-lua"
)

// Arguments of library functions, checked and converted like in PUC Lua (lauxlib.c):
// a number is accepted as a string, and a string that tonumber reads as a number.
// gopher-lua's own checks convert less, and read other numbers.

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

// raiseError raises a message, prefixed with the position of the Lua code that called the
// running Go function.
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

// check returns argument n, which must have the Go type T. Lua calls that type name.
func check[T lua.LValue](l *lua.LState, n int, name string) T {
	value, ok := l.Get(n).(T)
	if !ok {
		typeError(l, n, name)
	}
	return value
}

func checkTable(l *lua.LState, n int) *lua.LTable { return check[*lua.LTable](l, n, "table") }
func checkFunction(l *lua.LState, n int) *lua.LFunction {
	return check[*lua.LFunction](l, n, "function")
}

func checkNumber(l *lua.LState, n int) lua.LNumber {
	number, ok := toNumber(l.Get(n))
	if !ok {
		typeError(l, n, "number")
	}
	return number
}

// checkInt returns a number without its fraction. Numbers that are too large become
// the largest int; NaN becomes 0.
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

// arguments returns the arguments of the running function from the given one on.
func arguments(l *lua.LState, from int) []lua.LValue {
	var args []lua.LValue
	for i := from; i <= l.GetTop(); i++ {
		args = append(args, l.Get(i))
	}
	return args
}

// Push pushes values and returns how many.
func Push(l *lua.LState, values ...lua.LValue) int {
	for _, value := range values {
		l.Push(value)
	}
	return len(values)
}

// callOne calls fn and returns its first result, or nil.
func callOne(l *lua.LState, fn lua.LValue, args ...lua.LValue) lua.LValue {
	l.Push(fn)
	l.Call(Push(l, args...), 1)
	result := l.Get(-1)
	l.Pop(1)
	return result
}
