package vm

import (
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// spaces are the characters of C's isspace.
const spaces = " \t\n\v\f\r"

// toNumber converts a number, or a string that is one, as Lua 5.1 does it everywhere.
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

// maxNumber bounds the text of a number.
const maxNumber = 200

// parseNumber reads what C's strtod and strtoul read in the C locale, except the words
// for infinities and not-a-number. A base other than 10 reads integers only.
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

// parseInteger reads an unsigned integer. One that is too large is the largest.
func parseInteger(digits string, base int) (uint64, bool) {
	if strings.Contains(digits, "_") {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, base, 64)
	return n, err == nil || n == math.MaxUint64
}

// modulo is the operator '%' of Lua 5.1.
func modulo(l *lua.LState) int {
	l.Push(arithmetic(l, "__mod", l.Get(1), l.Get(2)))
	return 1
}

// mod is the formula of the manual. C's fmod, and Go's, give other results for
// fractions, infinities and a zero.
func mod(a, b lua.LNumber) lua.LNumber {
	return a - lua.LNumber(math.Floor(float64(a/b)))*b
}

// operators are the names of the metamethods of arithmetic.
var operators = []string{"__add", "__sub", "__mul", "__div", "__mod", "__pow", "__unm"}

// operate computes with the operator of a metamethod.
func operate(event string, a, b lua.LNumber) lua.LNumber {
	switch event {
	case "__add":
		return a + b
	case "__sub":
		return a - b
	case "__mul":
		return a * b
	case "__div":
		return a / b
	case "__mod":
		return mod(a, b)
	case "__pow":
		return lua.LNumber(math.Pow(float64(a), float64(b)))
	}
	return -a
}

// arithmetic computes with two values of whatever type. Numbers and numeric strings
// come before metamethods.
func arithmetic(l *lua.LState, event string, a, b lua.LValue) lua.LValue {
	x, ok1 := toNumber(a)
	y, ok2 := toNumber(b)
	if ok1 && ok2 {
		return operate(event, x, y)
	}
	by := metamethod(l, a, event)
	if by == lua.LNil {
		by = metamethod(l, b, event)
	}
	if by == lua.LNil {
		bad, argument := a, 1
		if ok1 {
			bad, argument = b, 2
		}
		operandError(l, "perform arithmetic on", argument, bad)
	}
	l.Push(by)
	l.Push(a)
	l.Push(b)
	l.Call(2, 1)
	value := l.Get(-1)
	l.Pop(1)
	return value
}

// metamethod returns a metamethod of a table or userdata. The operators in the metatable
// of strings are arithmetic itself.
func metamethod(l *lua.LState, value lua.LValue, event string) lua.LValue {
	if _, ok := value.(lua.LString); ok {
		return lua.LNil
	}
	return l.GetMetaField(value, event)
}

// stringOperators puts the operators into the metatable of strings. gopher-lua calls
// them for each string operand, before it converts the string by its own rules.
func (v *VM) stringOperators(metatable *lua.LTable) {
	for _, event := range operators {
		metatable.RawSetString(event, v.root.NewFunction(func(l *lua.LState) int {
			a, b := l.Get(1), l.Get(2)
			if event == "__unm" {
				b = a
			}
			l.Push(arithmetic(l, event, a, b))
			return 1
		}))
	}
}
