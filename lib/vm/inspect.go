package vm

import lua "github.com/yuin/gopher-lua"

// The part of the base library that only looks at values and tables.

func luaType(l *lua.LState) int {
	l.Push(lua.LString(checkAny(l, 1).Type().String()))
	return 1
}

func luaToString(l *lua.LState) int {
	l.Push(textOf(l, checkAny(l, 1)))
	return 1
}

// textOf returns what tostring returns: the result of __tostring may be any value.
func textOf(l *lua.LState, value lua.LValue) lua.LValue {
	if by := l.GetMetaField(value, "__tostring"); by != lua.LNil {
		l.Push(by)
		l.Push(value)
		l.Call(1, 1)
		text := l.Get(-1)
		l.Pop(1)
		return text
	}
	if s, ok := toText(value); ok {
		return lua.LString(s)
	}
	return lua.LString(value.String())
}

// getMetatable returns the field __metatable of the metatable instead, if there is one.
func getMetatable(l *lua.LState) int {
	l.Push(l.GetMetatable(checkAny(l, 1)))
	return 1
}

func rawEqual(l *lua.LState) int {
	l.Push(lua.LBool(checkAny(l, 1) == checkAny(l, 2)))
	return 1
}

func rawGet(l *lua.LState) int {
	l.Push(checkTable(l, 1).RawGet(checkAny(l, 2)))
	return 1
}

func rawSet(l *lua.LState) int {
	l.RawSet(checkTable(l, 1), checkAny(l, 2), checkAny(l, 3))
	l.SetTop(1)
	return 1
}

// luaSelect returns its arguments from the index that its first argument is, which counts
// from the end if it is negative. For '#' it returns their number.
func luaSelect(l *lua.LState) int {
	if l.Get(1) == lua.LString("#") {
		l.Push(lua.LNumber(l.GetTop() - 1))
		return 1
	}
	n, top := checkInt(l, 1), l.GetTop()
	if n < 0 {
		n += top
	}
	if n < 1 {
		argError(l, 1, "index out of range")
	}
	return max(0, top-n)
}

func luaNext(l *lua.LState) int {
	key, value := checkTable(l, 1).Next(l.Get(2))
	l.Push(key)
	if key == lua.LNil {
		return 1
	}
	l.Push(value)
	return 2
}

// nextIndex is the iterator of ipairs.
func nextIndex(l *lua.LState) int {
	t, i := checkTable(l, 1), checkInt(l, 2)+1
	value := t.RawGet(lua.LNumber(i))
	if value == lua.LNil {
		return 0
	}
	l.Push(lua.LNumber(i))
	l.Push(value)
	return 2
}

// over returns pairs or ipairs: a function that makes a generic 'for' go over a table
// with step.
func over(step *lua.LFunction, before lua.LValue) lua.LGFunction {
	return func(l *lua.LState) int {
		t := checkTable(l, 1)
		l.Push(step)
		l.Push(t)
		l.Push(before)
		return 3
	}
}
