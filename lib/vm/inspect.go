package vm

import lua "github.com/yuin/gopher-lua"

// The part of the base library that only looks at values and tables.

func luaType(l *lua.LState) int {
	l.Push(lua.LString(l.CheckAny(1).Type().String()))
	return 1
}

func toString(l *lua.LState) int {
	l.Push(l.ToStringMeta(l.CheckAny(1)))
	return 1
}

// getMetatable gives the field __metatable instead, where there is one.
func getMetatable(l *lua.LState) int {
	l.Push(l.GetMetatable(l.CheckAny(1)))
	return 1
}

func rawEqual(l *lua.LState) int {
	l.Push(lua.LBool(l.CheckAny(1) == l.CheckAny(2)))
	return 1
}

func rawGet(l *lua.LState) int {
	l.Push(l.CheckTable(1).RawGet(l.CheckAny(2)))
	return 1
}

func rawSet(l *lua.LState) int {
	l.RawSet(l.CheckTable(1), l.CheckAny(2), l.CheckAny(3))
	l.SetTop(1)
	return 1
}

// luaSelect returns what is from its first argument on, which counts from the end
// where it is negative, or how much there is.
func luaSelect(l *lua.LState) int {
	if l.Get(1) == lua.LString("#") {
		l.Push(lua.LNumber(l.GetTop() - 1))
		return 1
	}
	n, top := l.CheckInt(1), l.GetTop()
	if n < 0 {
		n += top
	}
	if n < 1 {
		l.ArgError(1, "index out of range")
	}
	return max(0, top-n)
}

func luaNext(l *lua.LState) int {
	key, value := l.CheckTable(1).Next(l.Get(2))
	l.Push(key)
	if key == lua.LNil {
		return 1
	}
	l.Push(value)
	return 2
}

// nextIndex is luaNext for what ipairs goes over.
func nextIndex(l *lua.LState) int {
	t, i := l.CheckTable(1), l.CheckInt(2)+1
	value := t.RawGetInt(i)
	if value == lua.LNil {
		return 0
	}
	l.Push(lua.LNumber(i))
	l.Push(value)
	return 2
}

// over returns pairs or ipairs: a function that gives a generic 'for' what it
// needs to go over a table with step.
func over(step *lua.LFunction, before lua.LValue) lua.LGFunction {
	return func(l *lua.LState) int {
		t := l.CheckTable(1)
		l.Push(step)
		l.Push(t)
		l.Push(before)
		return 3
	}
}
