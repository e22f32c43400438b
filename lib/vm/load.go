package vm

import (
	"errors"
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

// maxToken is how much of a token, such as a string without an end, is shown.
const maxToken = 40

// Load makes a function of a Lua text. name is the chunk's name, which errors and
// tracebacks give as the file, except for the rows that lines say come from elsewhere.
// An error is a *SyntaxError. Load may be called without the Lua lock only while nothing
// runs.
func (v *VM) Load(text, name string, lines ...Lines) (fn *lua.LFunction, err error) {
	defer caught(name, lines, &err)
	stmts, err := parse.Parse(strings.NewReader(text), name)
	if err != nil {
		return nil, syntaxError(text, name, lines, err)
	}
	outer, err := lua.Compile(rewrite(name, stmts), name)
	if err != nil {
		return nil, syntaxError(text, name, lines, err)
	}
	if len(lines) > 0 {
		place(outer, lines)
	}
	fn = v.root.NewFunctionFromProto(outer.FunctionPrototypes[0])
	if len(fn.Upvalues) > 0 { // concatName
		fn.Upvalues = v.root.NewClosure(nil, v.concat).Upvalues
	}
	return fn, nil
}

// caught makes an error of a panic: that of rewrite, or one of gopher-lua, which has met
// what it did not expect.
func caught(name string, lines []Lines, err *error) {
	switch r := recover().(type) {
	case nil:
	case *SyntaxError:
		r.File, r.Line = whence(lines, r.File, r.Line)
		*err = r
	default:
		*err = &SyntaxError{File: name, Line: 1, Message: fmt.Sprint("cannot compile: ", r)}
	}
}

func syntaxError(text, name string, lines []Lines, err error) error {
	e := &SyntaxError{File: name, Message: err.Error()}
	var parsing *parse.Error
	var compiling *lua.CompileError
	switch {
	case errors.As(err, &parsing):
		e.Line, e.Column = parsing.Pos.Line, parsing.Pos.Column
		e.Message = parsing.Message
		if token := parsing.Token; len(token) > maxToken {
			e.Message += " near '" + token[:maxToken] + "...'"
		} else if token != "" {
			e.Message += " near '" + token + "'"
		}
		if parsing.Pos.Line == parse.EOF {
			e.Line, e.Column = 1+strings.Count(strings.TrimRight(text, "\n"), "\n"), 0
		}
	case errors.As(err, &compiling):
		e.Line, e.Message = compiling.Line, compiling.Message
	}
	e.File, e.Line = whence(lines, name, e.Line)
	return e
}

// concat does what the instruction for '..' does, with its result bounded.
func concat(l *lua.LState) int {
	i := l.GetTop()
	right := l.Get(i)
	for i--; i > 0; {
		if left := l.Get(i); !lua.LVCanConvToString(left) || !lua.LVCanConvToString(right) {
			right = concatBy(l, left, right)
			i--
			continue
		}
		parts, size := []string{lua.LVAsString(right)}, 0
		for ; i > 0 && lua.LVCanConvToString(l.Get(i)); i-- {
			parts = append(parts, lua.LVAsString(l.Get(i)))
		}
		for _, part := range parts {
			size += len(part)
		}
		room(l, uint64(size))
		var b strings.Builder
		b.Grow(size)
		for n := len(parts) - 1; n >= 0; n-- {
			b.WriteString(parts[n])
		}
		right = lua.LString(b.String())
	}
	l.Push(right)
	return 1
}

// concatBy calls the metamethod of one of two values.
func concatBy(l *lua.LState, left, right lua.LValue) lua.LValue {
	by := l.GetMetaField(left, "__concat")
	if by == lua.LNil {
		by = l.GetMetaField(right, "__concat")
	}
	if by == lua.LNil {
		bad := left
		if lua.LVCanConvToString(left) {
			bad = right
		}
		l.RaiseError("attempt to concatenate a %s value", bad.Type())
	}
	l.Push(by)
	l.Push(left)
	l.Push(right)
	l.Call(2, 1)
	value := l.Get(-1)
	l.Pop(1)
	return value
}
