package vm

import lua "github.com/yuin/gopher-lua"

// The functions of the base library that inspect values and tables.

func luaType(l *lua.LState) int {
	return Push(l, lua.LString(checkAny(l, 1).Type().String()))
}

func luaToString(l *lua.LState) int {
	return Push(l, textOf(l, checkAny(l, 1)))
}

// textOf returns the result of tostring, which may be any value if it comes from
// __tostring.
func textOf(l *lua.LState, value lua.LValue) lua.LValue {
	if by := l.GetMetaField(value, "__tostring"); by != lua.LNil {
		return callOne(l, by, value)
	}
	if s, ok := toText(value); ok {
		return lua.LString(s)
	}
	return lua.LString(value.String())
}

// getMetatable returns the metatable, or its field __metatable if that exists.
func getMetatable(l *lua.LState) int {
	return Push(l, l.GetMetatable(checkAny(l, 1)))
}

func rawEqual(l *lua.LState) int {
	return Push(l, lua.LBool(checkAny(l, 1) == checkAny(l, 2)))
}

func rawGet(l *lua.LState) int {
	return Push(l, checkTable(l, 1).RawGet(checkAny(l, 2)))
}

func rawSet(l *lua.LState) int {
	l.RawSet(checkTable(l, 1), checkAny(l, 2), checkAny(l, 3))
	l.SetTop(1)
	return 1
}

// luaSelect returns its arguments from an index on, which is its first argument. A negative
// index counts from the end. For '#' it returns the number of arguments.
func luaSelect(l *lua.LState) int {
	if l.Get(1) == lua.LString("#") {
		return Push(l, lua.LNumber(l.GetTop()-1))
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
	if key == lua.LNil {
		return Push(l, lua.LNil)
	}
	return Push(l, key, value)
}

// nextIndex is the iterator of ipairs.
func nextIndex(l *lua.LState) int {
	t, i := checkTable(l, 1), checkInt(l, 2)+1
	value := t.RawGet(lua.LNumber(i))
	if value == lua.LNil {
		return 0
	}
	return Push(l, lua.LNumber(i), value)
}

// iterate returns pairs or ipairs: a function that makes a generic 'for' iterate over a
// table with next, beginning after the key before.
func iterate(next *lua.LFunction, before lua.LValue) lua.LGFunction {
	return func(l *lua.LState) int {
		t := checkTable(l, 1)
		return Push(l, next, t, before)
	}
}
