package vm

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// reword returns a raised value in the words of PUC Lua if it is an error of gopher-lua's
// own operators. gopher-lua has a blank in place of an unknown line there.
func reword(value lua.LValue) lua.LValue {
	s, ok := value.(lua.LString)
	if !ok {
		return value
	}
	text := strings.TrimPrefix(string(s), " ")
	if place, left, right, ok := operands(text, "attempt to compare ", " with "); ok {
		if left == right {
			return lua.LString(place + "attempt to compare two " + left + " values")
		}
		return lua.LString(text)
	}
	if place, tail, ok := cut(text, "cannot perform "); ok {
		operator, _, _ := strings.Cut(tail, " ")
		if _, left, right, ok := operands(tail, operator+" operation between ", " and "); ok {
			if left == "number" {
				left = right
			}
			return lua.LString(place + "attempt to perform arithmetic on a " + left + " value")
		}
	}
	return value
}

// operands returns the place and the types of the operands in a message.
func operands(text, begin, between string) (place, left, right string, ok bool) {
	place, tail, ok := cut(text, begin)
	if !ok {
		return "", "", "", false
	}
	left, right, ok = strings.Cut(tail, between)
	return place, left, right, ok && isType(left) && isType(right)
}

// cut is strings.Cut for a message that begins with begin, or with a place before it.
func cut(text, begin string) (place, tail string, ok bool) {
	place, tail, ok = strings.Cut(text, begin)
	return place, tail, ok && (place == "" || strings.HasSuffix(place, ": "))
}

func isType(name string) bool {
	for t := lua.LTNil; t <= lua.LTTable; t++ {
		if t.String() == name {
			return true
		}
	}
	return false
}
