package vm

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// baseLibrary returns the functions of Lua's base library that are safe, except
// require.
func (v *VM) baseLibrary() []function {
	ipairs := iterate(v.root.NewFunction(nextIndex), lua.LNumber(0))
	pairs := iterate(v.root.NewFunction(luaNext), lua.LNil)
	return []function{
		{"assert", luaAssert}, {"error", luaError}, {"getmetatable", getMetatable}, {"ipairs", ipairs}, {"next", luaNext},
		{"pairs", pairs}, {"pcall", v.pcall}, {"print", v.luaPrint}, {"rawequal", rawEqual}, {"rawget", rawGet},
		{"rawset", rawSet}, {"select", luaSelect}, {"setmetatable", setMetatable}, {"tonumber", luaToNumber},
		{"tostring", luaToString}, {"type", luaType}, {"unpack", unpack}, {"xpcall", v.xpcall},
	}
}

// luaAssert raises its second argument unchanged, whatever its type.
func luaAssert(l *lua.LState) int {
	if lua.LVAsBool(checkAny(l, 1)) {
		return l.GetTop()
	}
	value := lua.LValue(lua.LString("assertion failed!"))
	if l.GetTop() > 1 {
		value = l.Get(2)
	}
	l.Error(value, 0)
	return 0
}

// luaError prefixes a message that is a string with the position. Level 1 is the caller of
// error, level 2 the caller's caller.
func luaError(l *lua.LState) int {
	value, level := l.Get(1), optInt(l, 2, 1)
	if s, ok := toText(value); ok && level > 0 {
		value = lua.LString(where(l, level) + s)
	}
	l.Error(value, 0)
	return 0
}

func (v *VM) luaPrint(l *lua.LState) int {
	var line strings.Builder
	for i := 1; i <= l.GetTop(); i++ {
		if i > 1 {
			line.WriteByte('\t')
		}
		text, ok := textOf(l, l.Get(i)).(lua.LString)
		if !ok {
			raiseError(l, "'tostring' must return a string to 'print'")
		}
		line.WriteString(string(text))
		checkAlloc(l, uint64(line.Len()))
		callOf(l).spend(l, len(text))
	}
	v.print(line.String())
	return 0
}

// setMetatable takes only tables. gopher-lua's version lets Lua set the metatables of
// basic types too.
func setMetatable(l *lua.LState) int {
	t, meta := checkTable(l, 1), l.Get(2)
	if _, ok := meta.(*lua.LTable); !ok && (meta != lua.LNil || l.GetTop() < 2) {
		argError(l, 2, "nil or table expected")
	}
	if old, ok := t.Metatable.(*lua.LTable); ok && old.RawGetString("__metatable") != lua.LNil {
		raiseError(l, "cannot change a protected metatable")
	}
	t.Metatable = meta
	l.SetTop(1)
	return 1
}

func luaToNumber(l *lua.LState) int {
	base := optInt(l, 2, 10)
	if base == 10 {
		n, ok := toNumber(checkAny(l, 1))
		return pushNumber(l, n, ok)
	}
	s := checkString(l, 1)
	if base < 2 || base > 36 {
		argError(l, 2, "base out of range")
	}
	n, ok := parseNumber(strings.Trim(s, spaces), base)
	return pushNumber(l, n, ok)
}

// pushNumber pushes n, or nil if ok is false.
func pushNumber(l *lua.LState, n lua.LNumber, ok bool) int {
	if !ok {
		return Push(l, lua.LNil)
	}
	return Push(l, n)
}

// maxUnpack bounds how many values one call returns.
const maxUnpack = 1 << 16

func unpack(l *lua.LState) int {
	t := checkTable(l, 1)
	first, last := optInt(l, 2, 1), optInt(l, 3, t.Len())
	if first > last {
		return 0
	}
	if uint64(last-first) >= maxUnpack {
		raiseError(l, "too many results to unpack")
	}
	for i := first; i <= last; i++ {
		l.Push(t.RawGet(lua.LNumber(i)))
	}
	return last - first + 1
}
