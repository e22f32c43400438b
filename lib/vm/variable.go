package vm

import (
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// A site is the current instruction of a Lua function.
type site struct {
	fn *lua.LFunction
	pc int
	instruction
}

// An instruction is a decoded gopher-lua instruction; gopher-lua's opcode.go describes them.
type instruction struct{ op, a, b, c, bx int }

func decode(code uint32) instruction {
	return instruction{int(code >> 26), int(code>>18) & 0xff, int(code & 0x1ff), int(code>>9) & 0x1ff, int(code & 0x3ffff)}
}

// siteAt returns the current instruction of the function at a level of l's stack. It returns
// false for a Go function, and if the level does not exist.
func siteAt(l *lua.LState, level int) (site, bool) {
	dbg, ok := l.GetStack(level)
	if !ok {
		return site{}, false
	}
	value, err := l.GetInfo("f", dbg, lua.LNil)
	fn, isFunction := value.(*lua.LFunction)
	if err != nil || !isFunction || fn.IsG {
		return site{}, false
	}
	pc := programCounter(dbg) - 1 // the counter points after the instruction
	if pc < 0 || pc >= len(fn.Proto.Code) {
		return site{}, false
	}
	return site{fn, pc, decode(fn.Proto.Code[pc])}, true
}

// value returns the value of an operand: a register of the running function or a constant.
func (s site) value(l *lua.LState, operand int) lua.LValue {
	if i := operand - firstConstant; i >= 0 && i < len(s.fn.Proto.Constants) {
		return s.fn.Proto.Constants[i]
	}
	return l.Get(operand + 1)
}

// describe describes a value in the words of PUC Lua's errors: field 'x' (a nil value), or
// just: a nil value, if the operand that holds it has no name.
func (s site) describe(operand int, of lua.LValueType) string {
	return described(s.name(operand, s.pc), of)
}

func described(name string, of lua.LValueType) string {
	if name == "" {
		return "a " + of.String() + " value"
	}
	return name + " (a " + of.String() + " value)"
}

// name returns the name of an operand at an instruction, such as field 'x': of a local
// variable, or of the global, field, method or upvalue that was loaded into the register.
// It returns "" if the name is unknown.
func (s site) name(operand, pc int) string {
	if operand >= firstConstant {
		return ""
	}
	if name := s.local(operand, pc); name != "" {
		return variable("local", name)
	}
	set := s.setter(operand, pc)
	if set < 0 {
		return ""
	}
	p := s.fn.Proto
	in := decode(p.Code[set])
	switch in.op {
	case lua.OP_GETGLOBAL:
		return variable("global", p.Constants[in.bx].String())
	case lua.OP_GETTABLE, lua.OP_GETTABLEKS:
		return variable("field", s.key(in.c))
	case lua.OP_SELF:
		if in.a == operand {
			return variable("method", s.key(in.c))
		}
		return s.name(in.b, set)
	case lua.OP_GETUPVAL:
		return variable("upvalue", p.DbgUpvalues[in.b])
	case lua.OP_MOVE, lua.OP_MOVEN:
		return s.name(in.b, set)
	}
	return ""
}

// local returns the name of the local variable in a register, or "" if the register has a
// temporary value.
func (s site) local(register, pc int) string {
	for _, v := range s.fn.Proto.DbgLocals {
		if v.StartPc > pc {
			break
		}
		if pc >= v.EndPc {
			continue
		}
		if register--; register < 0 {
			if strings.HasPrefix(v.Name, "(") || strings.HasPrefix(v.Name, "..") { // gopher-lua's own, and the rewriter's
				return ""
			}
			return v.Name
		}
	}
	return ""
}

func variable(kind, name string) string { return fmt.Sprintf("%s '%s'", kind, name) }

// setter returns the index of the instruction that set a register before pc. It returns -1
// if a jump may skip that instruction.
func (s site) setter(register, pc int) int {
	code := s.fn.Proto.Code
	for set := pc - 1; set >= 0; set-- {
		in := decode(code[set])
		last := in.a // of the registers that the instruction sets
		switch in.op {
		case lua.OP_SETGLOBAL, lua.OP_SETUPVAL, lua.OP_SETTABLE, lua.OP_SETTABLEKS, lua.OP_JMP, lua.OP_EQ, lua.OP_LT, lua.OP_LE,
			lua.OP_TEST, lua.OP_RETURN, lua.OP_SETLIST, lua.OP_CLOSE, lua.OP_NOP:
			continue
		case lua.OP_LOADNIL:
			last = in.b
		case lua.OP_SELF:
			last = in.a + 1
		case lua.OP_CALL, lua.OP_VARARG, lua.OP_FORPREP, lua.OP_FORLOOP, lua.OP_TFORLOOP:
			last = register // these set several
		}
		if in.a <= register && register <= last {
			return s.unlessSkipped(set, pc)
		}
	}
	return -1
}

// unlessSkipped returns set, or -1 if a jump may skip that instruction.
func (s site) unlessSkipped(set, pc int) int {
	for i, c := range s.fn.Proto.Code[:set] {
		if in := decode(c); in.op == lua.OP_JMP {
			const zero = 1<<17 - 1 // encodes a distance of 0
			if to := i + 1 + in.bx - zero; set < to && to <= pc {
				return -1
			}
		}
	}
	return set
}

// firstConstant is the number of the first operand that is a constant.
const firstConstant = 1 << 8

// key returns the text of an operand that is a constant string, otherwise "?".
func (s site) key(operand int) string {
	if i := operand - firstConstant; i >= 0 && i < len(s.fn.Proto.Constants) {
		if text, ok := s.fn.Proto.Constants[i].(lua.LString); ok {
			return string(text)
		}
	}
	return "?"
}
