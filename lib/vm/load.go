package vm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

// maxToken is how many bytes of a token, such as an unfinished string, an error shows.
const maxToken = 40

// Load compiles a Lua text into a function. name is the chunk's name, which errors show as
// the file, except for rows that lines map elsewhere. The limits apply
// to loading as to a call of Lua; if a call is in progress, loading counts toward it.
//
// An error is a *SyntaxError, or an *Error whose cause is a *LimitError. Load may be
// called without the Lua lock only while no Lua runs.
func (v *VM) Load(text, name string, lines ...Lines) (fn *lua.LFunction, err error) {
	t := v.current
	if t == nil {
		t = newCall(context.Background(), v)
		t.start()
		defer t.stop()
	}
	defer catch(name, lines, &err)
	stmts, err := parse.Parse(newBoundedReader(text, t), name)
	if err != nil {
		return nil, loadError(text, name, lines, err)
	}
	outer, err := lua.Compile(rewrite(t, name, stmts), name)
	if err == nil {
		err = cmp.Or(checkPrototype(outer), t.Err())
	}
	if err != nil {
		return nil, loadError(text, name, lines, err)
	}
	if len(lines) > 0 {
		mapFunction(outer, lines)
	}
	fn = v.root.NewFunctionFromProto(outer.FunctionPrototypes[0])
	for i, name := range fn.Proto.DbgUpvalues {
		hidden := v.concat
		if name == moduloName {
			hidden = v.modulo
		}
		fn.Upvalues[i] = v.root.NewClosure(nil, hidden).Upvalues[0]
	}
	return fn, nil
}

// checkPrototype returns an error if a function, or a function in it, has more upvalues
// than gopher-lua counts, or may jump farther than an instruction can.
func checkPrototype(p *lua.FunctionProto) error {
	switch {
	case len(p.DbgUpvalues) > maxUpvalues:
		return &lua.CompileError{Line: p.LineDefined, Message: fmt.Sprintf("function has more than %d upvalues", maxUpvalues)}
	case len(p.Code) > maxJump && slices.ContainsFunc(p.Code, jumps):
		return &lua.CompileError{Line: p.LineDefined, Message: fmt.Sprintf("function with conditions or loops has more than %d instructions", maxJump)}
	}
	for _, inner := range p.FunctionPrototypes {
		if err := checkPrototype(inner); err != nil {
			return err
		}
	}
	return nil
}

func jumps(code uint32) bool {
	switch decode(code).op {
	case lua.OP_JMP, lua.OP_FORPREP, lua.OP_FORLOOP:
		return true
	}
	return false
}

// A boundedReader reads the text for gopher-lua's parser, a few kilobytes at a time. If the
// call has failed it panics with the error, and the parser returns that. The parser's stack
// doubles when it is full, so parsing may use no more than half of the memory.
type boundedReader struct {
	text  *strings.Reader
	call  *call
	short bool   // too short to exceed the memory, which is then not measured
	start uint64 // heap before the text was parsed
	next  uint64 // heap size above which to collect garbage and measure again
}

// parseMemory is more than gopher-lua's parser and compiler use for a byte of text, in bytes.
const parseMemory = 2 << 10

func newBoundedReader(text string, t *call) *boundedReader {
	r := &boundedReader{text: strings.NewReader(text), call: t}
	r.short = uint64(len(text))*parseMemory < t.vm.limits.Memory/2
	if !r.short {
		r.start = readUsage().rest
		r.next = r.start + t.vm.limits.Memory/2
	}
	return r
}

func (r *boundedReader) Read(b []byte) (int, error) {
	n, err := r.text.Read(b)
	if failed := r.call.tick(n * parseCost); failed != nil {
		panic(failed)
	}
	limit := r.call.vm.limits.Memory
	if n == 0 || r.short || readUsage().heap < r.next {
		return n, err
	}
	runtime.GC()
	heap := readUsage().heap
	if heap > r.start+limit/2 {
		panic(r.call.exceed(Memory))
	}
	r.next = max(r.start+limit/2, heap+limit/8)
	return n, err
}

// catch turns a panic into an error: a panic of rewrite, or an unexpected one of gopher-lua.
func catch(name string, lines []Lines, err *error) {
	switch r := recover().(type) {
	case nil:
	case *SyntaxError:
		r.File, r.Line = mapLine(lines, r.File, r.Line)
		*err = r
	case *LimitError:
		*err = loadError("", name, lines, r)
	default:
		*err = &SyntaxError{File: name, Line: 1, Message: fmt.Sprint("cannot compile: ", r)}
	}
}

// loadError returns the error of Load for one of the parser or the compiler.
func loadError(text, name string, lines []Lines, err error) error {
	e := &SyntaxError{File: name}
	var limit *LimitError
	var parsing *parse.Error
	var compiling *lua.CompileError
	switch {
	case errors.As(err, &limit):
		file, line := mapLine(lines, name, 1)
		return &Error{Message: limit.Error() + " to load", File: file, Line: line, Cause: limit}
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
		e.Line, e.Message = compiling.Line, compiling.Message // its Error fails unless gopher-lua made it
	default:
		e.Message = err.Error()
	}
	e.File, e.Line = mapLine(lines, name, e.Line)
	return e
}
