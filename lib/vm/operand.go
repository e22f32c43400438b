package vm

import (
	"reflect"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// Errors of operators, in the words of PUC Lua, which name the variable or field at
// fault: attempt to call field 'pack' (a nil value).

// reword returns a raised value, in the words of PUC Lua if it is an error of a gopher-lua
// instruction. Go functions raise their errors in those words themselves.
func reword(l *lua.LState, value lua.LValue) lua.LValue {
	text, ok := value.(lua.LString)
	s, isLua := siteAt(l, 0)
	if !ok || !isLua {
		return value
	}
	message := s.message(l, string(text))
	if message == "" {
		return value
	}
	return lua.LString(where(l, 0) + message)
}

// message returns PUC Lua's message for an error of gopher-lua about the operands of an
// instruction, or "" if text is another error.
func (s site) message(l *lua.LState, text string) string {
	of := func(operand int) string { return s.describe(operand, s.value(l, operand).Type()) }
	about := func(begin string) (rest string, ok bool) {
		_, rest, ok = strings.Cut(text, begin)
		return rest, ok
	}
	if kind, ok := about("attempt to index a non-table object("); ok {
		kind, _, _ = strings.Cut(kind, ")")
		return "attempt to index " + s.indexed(l, kind)
	}
	if _, ok := about("attempt to call a non-function object"); ok {
		if s.op == lua.OP_TFORLOOP {
			return "attempt to call " + described("", s.value(l, s.a).Type())
		}
		return "attempt to call " + of(s.a)
	}
	if _, ok := about("__unm undefined"); ok {
		return "attempt to perform arithmetic on " + of(s.b)
	}
	if _, ok := about("__len undefined"); ok {
		return "attempt to get length of " + of(s.b)
	}
	if _, ok := about("cannot perform "); ok {
		bad := s.b
		if _, ok := toNumber(s.value(l, bad)); ok {
			bad = s.c
		}
		return s.arithmeticOn(bad, s.value(l, bad))
	}
	if types, ok := about("attempt to compare "); ok {
		left, right, _ := strings.Cut(types, " with ")
		return comparisonError(left, right)
	}
	if bound, ok := about("for statement "); ok {
		return "'for' " + strings.Replace(bound, "init", "initial value", 1)
	}
	return ""
}

// comparisonError returns the error of comparing values of two types.
func comparisonError(left, right string) string {
	if left == right {
		return "attempt to compare two " + left + " values"
	}
	return "attempt to compare " + left + " with " + right
}

// indexed describes the value that a table access could not index. That is not the operand
// itself if the operand has a metatable.
func (s site) indexed(l *lua.LState, kind string) string {
	operand := -1
	switch s.op {
	case lua.OP_SETTABLE, lua.OP_SETTABLEKS:
		operand = s.a
	case lua.OP_GETTABLE, lua.OP_GETTABLEKS, lua.OP_SELF:
		operand = s.b
	}
	if operand >= 0 {
		if of := s.value(l, operand).Type(); of.String() == kind {
			return s.describe(operand, of)
		}
	}
	return "a " + kind + " value"
}

// arithmeticOn returns the error of arithmetic on an operand that is no number.
func (s site) arithmeticOn(operand int, value lua.LValue) string {
	if bound := s.bound(); bound != "" {
		return "'for' " + bound + " must be a number"
	}
	return "attempt to perform arithmetic on " + s.describe(operand, value.Type())
}

// bound returns which bound of a 'for' the site converts to a number, or "" if none. The
// function number generates such a conversion.
func (s site) bound() string {
	p := s.fn.Proto
	one := s.c - firstConstant
	if s.op != lua.OP_DIV || one < 0 || one >= len(p.Constants) || p.Constants[one] != lua.LNumber(1) {
		return ""
	}
	for _, code := range p.Code[s.pc:] {
		if in := decode(code); in.op == lua.OP_FORPREP {
			switch s.a - in.a {
			case 0:
				return "initial value"
			case 1:
				return "limit"
			case 2:
				return "step"
			}
			return ""
		}
	}
	return ""
}

// operandError raises the error for an operand that one of our operators cannot use: the
// first or second of an instruction, or an argument of the call that replaces it.
func operandError(l *lua.LState, verb string, argument int, value lua.LValue) {
	message := "attempt to " + verb + " " + described("", value.Type())
	if s, ok := siteAt(l, 1); ok {
		switch s.op {
		case lua.OP_CALL:
			message = "attempt to " + verb + " " + s.describe(s.a+argument, value.Type())
		case lua.OP_ADD, lua.OP_SUB, lua.OP_MUL, lua.OP_DIV, lua.OP_MOD, lua.OP_POW:
			message = s.arithmeticOn([]int{s.b, s.c}[argument-1], value)
		case lua.OP_UNM:
			message = s.arithmeticOn(s.b, value)
		}
	}
	raiseError(l, "%s", message)
}

// programCounter returns the index of a frame's next instruction. gopher-lua does not export
// it.
func programCounter(dbg *lua.Debug) int {
	return int(reflect.ValueOf(dbg).Elem().FieldByName("frame").Elem().FieldByName("Pc").Int())
}
