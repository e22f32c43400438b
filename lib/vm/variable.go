package vm

import (
	"fmt"
	"reflect"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// What gopher-lua says of a value that cannot be called or indexed. It does not say which
// value that was.
const (
	noFunction = "attempt to call a non-function object"
	noTable    = "attempt to index a non-table object("
)

// named returns the message of an error of gopher-lua in the words of PUC Lua, which names
// the variable or field: attempt to call field 'pack' (a nil value). Other messages stay
// as they are.
func named(l *lua.LState, message string) string {
	call := message == noFunction
	if !call && !strings.HasPrefix(message, noTable) {
		return message
	}
	kind, name := culprit(l)
	if call {
		if kind == "" {
			return "attempt to call what is not a function"
		}
		return "attempt to call " + name + " (a " + kind + " value)"
	}
	kind, _, _ = strings.Cut(message[len(noTable):], ")")
	if name == "" {
		name = "a " + kind + " value"
		return "attempt to index " + name
	}
	return "attempt to index " + name + " (a " + kind + " value)"
}

// culprit returns the type and the name of the value that the instruction at which the
// innermost Lua function stands calls or indexes; "" for what is not known. The name
// begins with its kind, such as "local 'x'".
func culprit(l *lua.LState) (kind, name string) {
	dbg, ok := l.GetStack(0)
	if !ok {
		return "", ""
	}
	value, err := l.GetInfo("f", dbg, lua.LNil)
	fn, isFunction := value.(*lua.LFunction)
	if err != nil || !isFunction || fn.IsG {
		return "", ""
	}
	// The program counter is not exported. It stands behind the instruction.
	frame := reflect.ValueOf(dbg).Elem().FieldByName("frame").Elem()
	pc := int(frame.FieldByName("Pc").Int()) - 1
	if pc < 0 || pc >= len(fn.Proto.Code) {
		return "", ""
	}
	in := decode(fn.Proto.Code[pc])
	register := in.b
	switch in.op {
	case lua.OP_CALL, lua.OP_TAILCALL, lua.OP_SETTABLE, lua.OP_SETTABLEKS:
		register = in.a
	case lua.OP_GETTABLE, lua.OP_GETTABLEKS, lua.OP_SELF:
	default:
		return "", ""
	}
	array := reflect.ValueOf(l).Elem().FieldByName("reg").Elem().FieldByName("array")
	if i := int(frame.FieldByName("LocalBase").Int()) + register; i < array.Len() && !array.Index(i).IsNil() {
		kind = kindOf(array.Index(i).Elem().Type())
	}
	name = registerName(fn, register, pc)
	if name == "" && kind != "" && (in.op == lua.OP_CALL || in.op == lua.OP_TAILCALL) {
		return "", ""
	}
	return kind, name
}

// kindOf returns Lua's name of a type of values.
func kindOf(t reflect.Type) string {
	for _, v := range []lua.LValue{lua.LNil, lua.LTrue, lua.LNumber(0), lua.LString(""), &lua.LTable{}, &lua.LUserData{}, &lua.LState{}} {
		if reflect.TypeOf(v) == t {
			return v.Type().String()
		}
	}
	return "function"
}

// registerName returns what the register holds at an instruction: a local variable, or the
// global, field, method or upvalue that was loaded into it just before; "" if it is not
// known.
func registerName(fn *lua.LFunction, register, pc int) string {
	p := fn.Proto
	if name, ok := fn.LocalName(register+1, pc); ok {
		return described("local", name)
	}
	for pc--; pc >= 0; pc-- {
		in := decode(p.Code[pc])
		switch in.op {
		case lua.OP_JMP, lua.OP_TEST, lua.OP_TESTSET, lua.OP_LOADBOOL:
			return "" // several instructions may have set it
		case lua.OP_SELF:
			if in.a == register {
				return described("method", constant(p, in.c))
			}
		}
		if in.a != register {
			continue
		}
		switch in.op {
		case lua.OP_GETGLOBAL:
			return described("global", p.Constants[in.bx].String())
		case lua.OP_GETTABLE, lua.OP_GETTABLEKS:
			return described("field", constant(p, in.c))
		case lua.OP_GETUPVAL:
			return described("upvalue", p.DbgUpvalues[in.b])
		case lua.OP_MOVE:
			return registerName(fn, in.b, pc+1)
		}
		return ""
	}
	return ""
}

func described(kind, name string) string {
	if name == "" || strings.HasPrefix(name, "..") { // a temporary of the rewriter
		return ""
	}
	return fmt.Sprintf("%s '%s'", kind, name)
}

// An instruction is one of gopher-lua's, which its opcode.go describes.
type instruction struct{ op, a, b, c, bx int }

func decode(code uint32) instruction {
	return instruction{int(code >> 26), int(code>>18) & 0xff, int(code & 0x1ff), int(code>>9) & 0x1ff, int(code & 0x3ffff)}
}

// constant returns the text of an operand that is a constant string, or "".
func constant(p *lua.FunctionProto, operand int) string {
	const first = 1 << 8 // operands from here on are constants
	if i := operand - first; i >= 0 && i < len(p.Constants) {
		if s, ok := p.Constants[i].(lua.LString); ok {
			return string(s)
		}
	}
	return ""
}
