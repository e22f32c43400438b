package vm

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// concat does the work of the instruction for '..', with a bound on the result's size.
func concat(l *lua.LState) int {
	i := l.GetTop()
	right := l.Get(i)
	if right, ok := right.(lua.LString); ok && i == 2 { // the usual case
		if left, ok := l.Get(1).(lua.LString); ok {
			size, t := len(left)+len(right), callOf(l)
			t.checkAlloc(l, uint64(size))
			t.spend(l, size)
			return Push(l, left+right)
		}
	}
	for i--; i > 0; {
		last, ok := toText(right)
		part, ok2 := toText(l.Get(i))
		if !ok || !ok2 {
			right = concatBy(l, i, l.Get(i), right)
			i--
			continue
		}
		var few [8]string
		parts, size := append(few[:0], last), len(last)
		for ; ok2; part, ok2 = toText(l.Get(i)) {
			parts, size = append(parts, part), size+len(part)
			i--
		}
		checkAlloc(l, uint64(size))
		callOf(l).spend(l, size)
		var b strings.Builder
		b.Grow(size)
		for n := len(parts) - 1; n >= 0; n-- {
			b.WriteString(parts[n])
		}
		right = lua.LString(b.String())
	}
	return Push(l, right)
}

// concatBy calls the metamethod of left, which is the argument at index, or of right.
func concatBy(l *lua.LState, index int, left, right lua.LValue) lua.LValue {
	by := l.GetMetaField(left, "__concat")
	if by == lua.LNil {
		by = l.GetMetaField(right, "__concat")
	}
	if by == lua.LNil {
		bad := left
		if _, ok := toText(left); ok {
			bad, index = right, index+1
		}
		operandError(l, "concatenate", index, bad)
	}
	return callOne(l, by, left, right)
}
