package vm

import (
	"sort"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

func tableConcat(l *lua.LState) int {
	t, sep := l.CheckTable(1), l.OptString(2, "")
	first, last := l.OptInt(3, 1), l.OptInt(4, t.Len())
	var b strings.Builder
	for i := first; i <= last; i++ {
		value := t.RawGet(lua.LNumber(i))
		if !lua.LVCanConvToString(value) {
			l.RaiseError("invalid value (%s) at index %d in table for 'concat'", value.Type(), i)
		}
		s := lua.LVAsString(value)
		room(l, uint64(b.Len()+len(s)+len(sep)))
		b.WriteString(s)
		if i != last {
			b.WriteString(sep)
		}
	}
	l.Push(lua.LString(b.String()))
	return 1
}

func tableInsert(l *lua.LState) int {
	t := l.CheckTable(1)
	n := t.Len()
	if n+1 >= lua.MaxArrayIndex {
		l.RaiseError("table has more than %d elements", lua.MaxArrayIndex)
	}
	switch l.GetTop() {
	case 2:
		t.RawSetInt(n+1, l.Get(2))
	case 3:
		at := l.CheckInt(2)
		if at < 1 || at > n {
			t.RawSet(lua.LNumber(at), l.Get(3))
			break
		}
		t.Insert(at, l.Get(3))
	default:
		l.RaiseError("wrong number of arguments to 'insert'")
	}
	return 0
}

// tablePack returns a table of its arguments, with their number as the field n, as Lua 5.2
// has it.
func tablePack(l *lua.LState) int {
	n := l.GetTop()
	t := l.CreateTable(n, 1)
	for i := 1; i <= n; i++ {
		t.RawSetInt(i, l.Get(i))
	}
	t.RawSetString("n", lua.LNumber(n))
	l.Push(t)
	return 1
}

// checkEvery is how many steps of work in Go lie between two looks at the turn.
const checkEvery = 1 << 10

func tableSort(l *lua.LState) int {
	table := l.CheckTable(1)
	by := l.OptFunction(2, nil)
	t := turnOf(l)
	t.nest(l)
	defer t.unnest()
	values := make([]lua.LValue, table.Len())
	for i := range values {
		values[i] = table.RawGetInt(i + 1)
	}
	steps := 0
	sort.Slice(values, func(i, j int) bool {
		if steps++; steps%checkEvery == 0 {
			t.check(l)
		}
		if by == nil {
			return l.LessThan(values[i], values[j])
		}
		l.Push(by)
		l.Push(values[i])
		l.Push(values[j])
		l.Call(2, 1)
		less := lua.LVAsBool(l.Get(-1))
		l.Pop(1)
		return less
	})
	for i, value := range values {
		table.RawSetInt(i+1, value)
	}
	return 0
}
