package vm

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// tableLibrary is the table library of Lua 5.1 without the functions that 5.1 had already
// deprecated, and with pack and unpack of Lua 5.2.
var tableLibrary = []function{
	{"concat", tableConcat}, {"getn", tableGetn}, {"insert", tableInsert}, {"maxn", tableMaxn}, {"pack", tablePack},
	{"remove", tableRemove}, {"sort", tableSort}, {"unpack", unpack},
}

func tableConcat(l *lua.LState) int {
	t, sep := checkTable(l, 1), optString(l, 2, "")
	first, last := optInt(l, 3, 1), optInt(l, 4, t.Len())
	var b strings.Builder
	for i := first; i <= last; i++ {
		value := t.RawGet(lua.LNumber(i))
		s, ok := toText(value)
		if !ok {
			raiseError(l, "invalid value (%s) at index %d in table for 'concat'", value.Type(), i)
		}
		checkAlloc(l, uint64(b.Len()+len(s)+len(sep)))
		callOf(l).spend(l, len(s)+len(sep)+stepsOfValue)
		b.WriteString(s)
		if i == last {
			break // i++ would wrap if last is the largest int
		}
		b.WriteString(sep)
	}
	return Push(l, lua.LString(b.String()))
}

// stepsOfValue is the cost of reading or writing a value of a table.
const stepsOfValue = 16

func tableGetn(l *lua.LState) int {
	return Push(l, lua.LNumber(checkTable(l, 1).Len()))
}

func tableMaxn(l *lua.LState) int {
	most := lua.LNumber(0)
	t := checkTable(l, 1)
	for key, _ := t.Next(lua.LNil); key != lua.LNil; key, _ = t.Next(key) {
		if n, ok := key.(lua.LNumber); ok {
			most = max(most, n)
		}
		callOf(l).spend(l, stepsOfValue)
	}
	return Push(l, most)
}

// tableInsert moves the elements from the given index on up by one.
func tableInsert(l *lua.LState) int {
	t := checkTable(l, 1)
	at := t.Len() + 1
	switch l.GetTop() {
	case 2:
	case 3:
		end := at
		at = checkInt(l, 2)
		for i := max(end, at); i > at; i-- {
			t.RawSet(lua.LNumber(i), t.RawGet(lua.LNumber(i-1)))
			callOf(l).spend(l, stepsOfValue)
		}
	default:
		raiseError(l, "wrong number of arguments to 'insert'")
	}
	if at == lua.MaxArrayIndex && t.RawGet(lua.LNumber(at)) != lua.LNil {
		raiseError(l, "table is too large for 'insert'") // '#' counts no further
	}
	t.RawSet(lua.LNumber(at), l.Get(l.GetTop()))
	return 0
}

// tableRemove returns the element that it removes. For a position outside the list it
// removes and returns nothing.
func tableRemove(l *lua.LState) int {
	t := checkTable(l, 1)
	n := t.Len()
	at := optInt(l, 2, n)
	if at < 1 || at > n {
		return 0
	}
	l.Push(t.RawGet(lua.LNumber(at)))
	for ; at < n; at++ {
		t.RawSet(lua.LNumber(at), t.RawGet(lua.LNumber(at+1)))
		callOf(l).spend(l, stepsOfValue)
	}
	t.RawSet(lua.LNumber(n), lua.LNil)
	return 1
}

// tablePack returns its arguments as a list, with their number as the field n.
func tablePack(l *lua.LState) int {
	n := l.GetTop()
	t := l.CreateTable(n, 1)
	for i := 1; i <= n; i++ {
		t.RawSetInt(i, l.Get(i))
	}
	t.RawSetString("n", lua.LNumber(n))
	return Push(l, t)
}
