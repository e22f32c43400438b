package vm

import (
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// baseLibrary returns the functions of Lua's base library that are safe, but for
// require.
func (v *VM) baseLibrary() []function {
	ipairs := over(v.root.NewFunction(nextIndex), lua.LNumber(0))
	pairs := over(v.root.NewFunction(luaNext), lua.LNil)
	return []function{
		{"assert", luaAssert}, {"error", luaError}, {"getmetatable", getMetatable}, {"ipairs", ipairs}, {"next", luaNext},
		{"pairs", pairs}, {"pcall", v.pcall}, {"print", v.luaPrint}, {"rawequal", rawEqual}, {"rawget", rawGet},
		{"rawset", rawSet}, {"select", luaSelect}, {"setmetatable", setMetatable}, {"tonumber", toNumber},
		{"tostring", toString}, {"type", luaType}, {"unpack", unpack}, {"xpcall", v.xpcall},
	}
}

// luaAssert raises its second value as it is, of whatever type.
func luaAssert(l *lua.LState) int {
	if lua.LVAsBool(l.CheckAny(1)) {
		return l.GetTop()
	}
	value := lua.LValue(lua.LString("assertion failed!"))
	if l.GetTop() > 1 {
		value = l.Get(2)
	}
	l.Error(value, 0)
	return 0
}

// luaError puts the place in front of strings. A level counts calls up from the
// caller of error, which is 1.
func luaError(l *lua.LState) int {
	value, level := l.Get(1), l.OptInt(2, 1)
	if s, ok := value.(lua.LString); ok && level > 0 {
		value = lua.LString(where(l, level)) + s
	}
	l.Error(value, 0)
	return 0
}

// where returns "FILE:LINE: " of a level of the stack, or "" for a Go function.
func where(l *lua.LState, level int) string {
	dbg, ok := l.GetStack(level)
	if !ok {
		return ""
	}
	if _, err := l.GetInfo("Sl", dbg, lua.LNil); err != nil || dbg.CurrentLine < 1 {
		return ""
	}
	return dbg.Source + ":" + strconv.Itoa(dbg.CurrentLine) + ": "
}

func (v *VM) luaPrint(l *lua.LState) int {
	var line strings.Builder
	for i := 1; i <= l.GetTop(); i++ {
		if i > 1 {
			line.WriteByte('\t')
		}
		line.WriteString(l.ToStringMeta(l.Get(i)).String())
		room(l, uint64(line.Len()))
	}
	v.print(line.String())
	return 0
}

// setMetatable takes tables only. gopher-lua's lets Lua set those of basic types.
func setMetatable(l *lua.LState) int {
	t := l.CheckTable(1)
	l.CheckTypes(2, lua.LTNil, lua.LTTable)
	if old, ok := t.Metatable.(*lua.LTable); ok && old.RawGetString("__metatable") != lua.LNil {
		l.RaiseError("cannot change a protected metatable")
	}
	t.Metatable = l.Get(2)
	l.SetTop(1)
	return 1
}

// toNumber reads what C's strtod and strtoul read in the C locale, but for the
// words for infinities and not-a-number.
func toNumber(l *lua.LState) int {
	value, base := l.CheckAny(1), l.OptInt(2, 10)
	if n, ok := value.(lua.LNumber); ok && base == 10 {
		l.Push(n)
		return 1
	}
	if base < 2 || base > 36 {
		l.ArgError(2, "base out of range")
	}
	n, ok := lua.LNumber(0), false
	if lua.LVCanConvToString(value) {
		n, ok = parseNumber(strings.Trim(lua.LVAsString(value), " \t\n\v\f\r"), base)
	}
	if !ok {
		l.Push(lua.LNil)
		return 1
	}
	l.Push(n)
	return 1
}

func parseNumber(s string, base int) (lua.LNumber, bool) {
	digits := strings.ToLower(strings.TrimLeft(s, "+-"))
	if len(s)-len(digits) > 1 || digits == "" || strings.Contains(digits, "_") {
		return 0, false
	}
	sign := lua.LNumber(1)
	if s[0] == '-' {
		sign = -1
	}
	hex, isHex := strings.CutPrefix(digits, "0x")
	switch {
	case isHex && (base == 10 || base == 16):
		n, err := strconv.ParseUint(hex, 16, 64)
		return sign * lua.LNumber(n), err == nil
	case base != 10:
		n, err := strconv.ParseUint(digits, base, 64)
		return sign * lua.LNumber(n), err == nil
	case digits[0] != '.' && (digits[0] < '0' || digits[0] > '9'):
		return 0, false // "inf", "nan"
	}
	n, err := strconv.ParseFloat(digits, 64)
	return sign * lua.LNumber(n), err == nil || math.IsInf(n, 0)
}

// maxUnpack bounds how many values one call returns.
const maxUnpack = 1 << 16

func unpack(l *lua.LState) int {
	t := l.CheckTable(1)
	first := l.OptInt(2, 1)
	last := l.OptInt(3, t.Len())
	if first > last {
		return 0
	}
	if uint64(last-first) >= maxUnpack {
		l.RaiseError("too many results to unpack")
	}
	for i := first; i <= last; i++ {
		l.Push(t.RawGet(lua.LNumber(i)))
	}
	return last - first + 1
}
