package vm

import (
	"errors"
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

// Load makes a function of a Lua text. name is the chunk's name, which errors and
// tracebacks give as the file. An error is a *SyntaxError.
func (v *VM) Load(text, name string) (fn *lua.LFunction, err error) {
	defer func() {
		if r := recover(); r != nil {
			fn, err = nil, &SyntaxError{File: name, Line: 1, Message: fmt.Sprint("cannot compile: ", r)}
		}
	}()
	chunk, err := parse.Parse(strings.NewReader(text), name)
	if err != nil {
		return nil, syntaxError(text, name, err)
	}
	proto, err := lua.Compile(chunk, name)
	if err != nil {
		return nil, syntaxError(text, name, err)
	}
	return v.root.NewFunctionFromProto(proto), nil
}

func syntaxError(text, name string, err error) error {
	var parsing *parse.Error
	var compiling *lua.CompileError
	e := &SyntaxError{File: name, Message: err.Error()}
	switch {
	case errors.As(err, &parsing):
		e.Line, e.Column = parsing.Pos.Line, parsing.Pos.Column
		e.Message = parsing.Message
		if parsing.Token != "" {
			e.Message += " near '" + parsing.Token + "'"
		}
		if parsing.Pos.Line == parse.EOF {
			e.Line, e.Column = 1+strings.Count(strings.TrimRight(text, "\n"), "\n"), 0
		}
	case errors.As(err, &compiling):
		e.Line, e.Message = compiling.Line, compiling.Message
	}
	return e
}
