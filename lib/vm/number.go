package vm

import (
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// spaces are the characters of C's isspace.
const spaces = " \t\n\v\f\r"

// toNumber converts a number, or a string that holds one, as Lua 5.1 does everywhere.
func toNumber(value lua.LValue) (lua.LNumber, bool) {
	switch value := value.(type) {
	case lua.LNumber:
		return value, true
	case lua.LString:
		return parseNumber(strings.Trim(string(value), spaces), 10)
	}
	return 0, false
}

// toText converts a string or a number to a text.
func toText(value lua.LValue) (string, bool) {
	switch value := value.(type) {
	case lua.LString:
		return string(value), true
	case lua.LNumber:
		return numberText(value), true
	}
	return "", false
}

// numberText prints a number as C's printf does with LUA_NUMBER_FMT, "%.14g".
func numberText(n lua.LNumber) string {
	f := float64(n)
	if i := int64(f); float64(i) == f && i > -1e14 && i < 1e14 && (i != 0 || !math.Signbit(f)) {
		return strconv.FormatInt(i, 10)
	}
	return verb{precision: ".14", letter: 'g'}.float(f)
}

// maxNumber bounds the length of a number that has more than decimal digits.
const maxNumber = 200

// parseNumber reads numbers as C's strtod and strtoul do in the C locale, except the words
// for infinities and NaN. For a base other than 10 it reads only integers.
func parseNumber(s string, base int) (lua.LNumber, bool) {
	digits := strings.TrimLeft(s, "+-")
	if len(s)-len(digits) > 1 || digits == "" || len(s) > maxNumber && strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	digits = strings.ToLower(digits)
	sign := lua.LNumber(1)
	if s[0] == '-' {
		sign = -1
	}
	hex, isHex := strings.CutPrefix(digits, "0x")
	if base != 10 {
		if isHex && base == 16 {
			digits = hex
		}
		n, ok := parseInteger(digits, base)
		if sign < 0 {
			n = -n // strtoul negates the unsigned number
		}
		return lua.LNumber(n), ok
	}
	if strings.Trim(digits, "0123456789abcdefpx.+-") != "" {
		return 0, false // such as '_', which Go reads
	}
	if isHex {
		if !strings.Contains(hex, "p") {
			digits += "p0" // Go's hexadecimal floats have an exponent
		}
	} else if digits[0] > '9' || strings.ContainsAny(digits, "px") {
		return 0, false
	}
	n, err := strconv.ParseFloat(digits, 64)
	return sign * lua.LNumber(n), err == nil || math.IsInf(n, 0)
}

// parseInteger reads an unsigned integer. One that is too large becomes the largest.
func parseInteger(digits string, base int) (uint64, bool) {
	if strings.Contains(digits, "_") {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, base, 64)
	return n, err == nil || n == math.MaxUint64
}

// modulo is the operator '%' of Lua 5.1.
func modulo(l *lua.LState) int {
	return Push(l, arithmetic(l, operators[0], l.Get(1), l.Get(2)))
}

// An operator is an arithmetic operator with the name of its metamethod.
type operator struct {
	metamethod string
	compute    func(a, b lua.LNumber) lua.LNumber
}

var operators = []operator{
	// The formula of the manual. C's fmod, and Go's, give other results for fractions,
	// infinities and zeros.
	{"__mod", func(a, b lua.LNumber) lua.LNumber { return a - lua.LNumber(math.Floor(float64(a/b)))*b }},
	{"__add", func(a, b lua.LNumber) lua.LNumber { return a + b }},
	{"__sub", func(a, b lua.LNumber) lua.LNumber { return a - b }},
	{"__mul", func(a, b lua.LNumber) lua.LNumber { return a * b }},
	{"__div", func(a, b lua.LNumber) lua.LNumber { return a / b }},
	{"__pow", func(a, b lua.LNumber) lua.LNumber { return lua.LNumber(math.Pow(float64(a), float64(b))) }},
	{"__unm", func(a, _ lua.LNumber) lua.LNumber { return -a }},
}

// arithmetic computes with two values of any type. It uses metamethods only if one of them
// is neither a number nor a numeric string.
func arithmetic(l *lua.LState, op operator, a, b lua.LValue) lua.LValue {
	x, ok1 := toNumber(a)
	y, ok2 := toNumber(b)
	if ok1 && ok2 {
		return op.compute(x, y)
	}
	by := metamethod(l, a, op.metamethod)
	if by == lua.LNil {
		by = metamethod(l, b, op.metamethod)
	}
	if by == lua.LNil {
		bad, argument := a, 1
		if ok1 {
			bad, argument = b, 2
		}
		operandError(l, "perform arithmetic on", argument, bad)
	}
	return callOne(l, by, a, b)
}

// metamethod returns a metamethod of a table or userdata. It ignores the metatable of
// strings, whose operators are arithmetic itself.
func metamethod(l *lua.LState, value lua.LValue, event string) lua.LValue {
	if _, ok := value.(lua.LString); ok {
		return lua.LNil
	}
	return l.GetMetaField(value, event)
}

// stringOperators puts the operators into the metatable of strings. gopher-lua calls
// them if an operand is a string, instead of converting the string by its own rules.
func (v *VM) stringOperators(metatable *lua.LTable) {
	for _, op := range operators {
		metatable.RawSetString(op.metamethod, v.root.NewFunction(func(l *lua.LState) int {
			a, b := l.Get(1), l.Get(2)
			if op.metamethod == "__unm" {
				b = a
			}
			return Push(l, arithmetic(l, op, a, b))
		}))
	}
}
