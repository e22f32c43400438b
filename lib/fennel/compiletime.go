package fennel

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"quire/lib/diag"
	"quire/lib/vm"
)

// A compileTime runs the macros of one source in a sandboxed Lua state. They see forms as
// tables, and nothing else of the program being compiled. It is created when the source
// defines or imports a macro.
type compileTime struct {
	c  *compiler
	vm *vm.VM

	listMeta, symMeta, varargMeta, commentMeta *lua.LTable
	sequenceMark                               *lua.LTable
	varargNode                                 *lua.LTable

	// positions has the forms that came from the source.
	positions map[*lua.LTable]Position

	nodeCount int // forms passed to macros and returned by them
	expanding int // nested calls of macroexpand

	scope   *scope      // of the form whose macro is running
	running *lua.LState // the thread on which a macro runs, nil if none runs
	loaded  *lua.LTable // macro modules by name
	loading map[string]bool

	refused refusal
}

// A refusal is an error of the compiler while it passes through macro code, which may
// catch it.
type refusal struct {
	message string    // identifies the error
	at      Position  // the argument of assert-compile
	errs    diag.List // errors in a macro module, which have their own positions
}

// macros returns the state for macros. The first call creates it.
func (c *compiler) macros() *compileTime {
	if c.compileTime != nil {
		return c.compileTime
	}
	t := &compileTime{
		c: c, vm: vm.New(c.opts.Limits),
		positions: map[*lua.LTable]Position{},
		loading:   map[string]bool{},
	}
	c.compileTime = t
	t.setUp()
	return t
}

// close frees the state of the macros, if it exists.
func (c *compiler) close() {
	if c.compileTime != nil {
		c.compileTime.vm.Close()
	}
}

// names returns the globals that macro code may use.
func (t *compileTime) names() map[string]bool {
	names := map[string]bool{"_ENV": true}
	for _, name := range t.vm.Globals() {
		names[name] = true
	}
	return names
}

// call calls fn, a macro or a chunk of macro code, for the form at. Inside a macro, the
// call runs on the macro's thread.
func (t *compileTime) call(at Node, s *scope, fn *lua.LFunction, args ...lua.LValue) []lua.LValue {
	before := t.scope
	t.scope = s
	defer func() { t.scope = before }()
	results, err := t.enter(fn, args)
	if err != nil {
		t.fail(at, err)
	}
	return results
}

// callModule calls the function of a macro module. It reports an error that the function
// raises at the error's own line.
func (t *compileTime) callModule(at Node, fn *lua.LFunction, args ...lua.LValue) []lua.LValue {
	results, err := t.enter(fn, args)
	if err == nil {
		return results
	}
	text := err.Error()
	if api := (*lua.ApiError)(nil); errors.As(err, &api) {
		text = api.Object.String()
	}
	file, rest, _ := strings.Cut(text, ":")
	number, message, ok := strings.Cut(rest, ": ")
	line, numberErr := strconv.Atoi(number)
	if src := t.c.sources[file]; ok && numberErr == nil && src != nil {
		at = &Symbol{Position: src.startOf(line)}
		err = errors.New(message)
	}
	t.fail(at, err)
	return nil
}

func (t *compileTime) enter(fn *lua.LFunction, args []lua.LValue) ([]lua.LValue, error) {
	if l := t.running; l != nil {
		top := l.GetTop()
		if err := l.CallByParam(lua.P{Fn: fn, NRet: lua.MultRet, Protect: true}, args...); err != nil {
			return nil, err
		}
		var results []lua.LValue
		for i := top + 1; i <= l.GetTop(); i++ {
			results = append(results, l.Get(i))
		}
		l.SetTop(top)
		return results, nil
	}
	return t.vm.Call(t.c.opts.Bound.Context(), fn, args...)
}

// fail reports an error that macro code raised, at the form that called it or at
// the form that the macro named.
func (t *compileTime) fail(at Node, err error) {
	t.c.step() // panics again: gopher-lua turned the panic of an earlier step into a Lua error
	if limit := (*vm.LimitError)(nil); errors.As(err, &limit) && limit.Kind != vm.Depth {
		panic(stop{at.Pos(), limit})
	}
	message, hint := err.Error(), ""
	var run *vm.Error
	var api *lua.ApiError
	switch {
	case errors.As(err, &run):
		message = run.Message
		if run.File != "" {
			hint = fmt.Sprintf("raised by the macro at %s:%d", run.File, run.Line)
		}
	case errors.As(err, &api):
		message = cmp.Or(strings.TrimSpace(api.Object.String()), vm.EmptyMessage)
	}
	refused := t.refused
	t.refused = refusal{}
	if refused.message != "" && message == refused.message {
		hint = ""
		if refused.at.Line > 0 {
			at = &Symbol{Position: refused.at}
		}
		if len(refused.errs) > 0 {
			t.c.errs = append(t.c.errs, refused.errs...)
			panic(bail{})
		}
	}
	t.c.failHint(at, hint, "%s", oneLine(message))
}

// evaluate compiles a form as macro code and runs it. The form may use the environment of
// macros, but not the program's names.
func (t *compileTime) evaluate(n Node, s *scope, args ...lua.LValue) []lua.LValue {
	fn := t.compile(n.Pos().src, []Node{n}, n)
	return t.call(n, s, fn, args...)
}

// compile compiles forms of src as a chunk of macro code.
func (t *compileTime) compile(src *source, forms []Node, at Node) *lua.LFunction {
	c := t.c
	globals, main, position, preload := c.globals, c.main, c.at, c.preload
	defer func() { c.globals, c.main, c.at, c.preload = globals, main, position, preload }()
	c.globals = t.names()
	c.main = src
	b := &block{}
	c.preload = b
	errs := len(c.errs)
	root := newFunctionScope(nil, &function{vararg: true, macro: true})
	c.body(forms, root, b, wantTail)
	if len(c.errs) > errs {
		panic(bail{})
	}
	name := ""
	if src != nil {
		name = src.name
	}
	fn, err := c.print(b, name).Load(t.vm)
	if err != nil {
		c.fail(at, "this macro code is too much for Lua: %s", oneLine(err.Error()))
	}
	fn.Env = t.environment()
	return fn
}

// environment returns fresh globals for one chunk of macro code, so that other chunks do
// not see the globals that it sets.
func (t *compileTime) environment() *lua.LTable {
	meta := &lua.LTable{Metatable: lua.LNil}
	meta.RawSetString("__index", t.vm.State().G.Global)
	env := &lua.LTable{Metatable: meta}
	env.RawSetString("_G", env)
	return env
}

// module loads a macro module, once.
func (t *compileTime) module(name string, at Node) lua.LValue {
	if v := t.loaded.RawGetString(name); v != lua.LNil {
		return v
	}
	c := t.c
	c.check(!t.loading[name], at, "macro module %s requires itself", name)
	src := c.readModule(name, at)
	t.loading[name] = true
	defer delete(t.loading, name)
	var fn *lua.LFunction
	if isLuaFile(src.name) {
		var err error
		fn, err = t.vm.Load(src.text, src.name)
		if syntax := (*vm.SyntaxError)(nil); errors.As(err, &syntax) {
			c.fail(&Symbol{Position: src.startOf(syntax.Line)}, "%s", oneLine(syntax.Message))
		}
		if err != nil {
			t.fail(at, err)
		}
		fn.Env = t.environment()
	} else {
		before := c.module
		c.module = name
		defer func() { c.module = before }()
		fn = t.compile(src, c.parse(src), at)
	}
	results := t.callModule(at, fn, lua.LString(name), lua.LString(src.name))
	value := vm.First(results)
	if value == lua.LNil {
		value = lua.LTrue
	}
	t.loaded.RawSetString(name, value)
	return value
}

// define makes every field of a Lua table a macro in s.
func (t *compileTime) define(v lua.LValue, s *scope, at Node) {
	table, ok := v.(*lua.LTable)
	t.c.check(ok, at, "expected macros to be table")
	table.ForEach(func(k, v lua.LValue) {
		m := t.macro(v)
		t.c.check(m != nil, at, "expected each macro to be function or callable table, but %s is a %s", k.String(), v.Type())
		t.c.defineMacro(k.String(), m, s, at)
	})
}

// namespace makes a macro of a module that is bound to one name. The module's functions
// become macros, and so do the functions in its tables, down to the given level. The module
// may hold other values, for other macro modules.
func (t *compileTime) namespace(table *lua.LTable, levels int) *macro {
	all := t.macro(table)
	if all == nil {
		all = &macro{}
	}
	all.fields = map[string]*macro{}
	table.ForEach(func(k, v lua.LValue) {
		if inner, ok := v.(*lua.LTable); ok && levels > 1 {
			all.fields[k.String()] = t.namespace(inner, levels-1)
		} else if m := t.macro(v); m != nil {
			all.fields[k.String()] = m
		}
	})
	return all
}

// macro turns a Lua function or a callable table into a macro. It returns nil for any other
// value.
func (t *compileTime) macro(v lua.LValue) *macro {
	fn, ok := v.(*lua.LFunction)
	var self []lua.LValue
	if table, isTable := v.(*lua.LTable); isTable {
		meta, _ := table.Metatable.(*lua.LTable)
		if meta != nil {
			fn, ok = meta.RawGetString("__call").(*lua.LFunction)
		}
		self = []lua.LValue{table}
	}
	if !ok {
		return nil
	}
	return &macro{expand: func(c *compiler, l *List, s *scope) Node {
		args := slices.Clone(self)
		for _, n := range l.Items[1:] {
			args = append(args, t.toLua(n))
		}
		results := t.call(l, s, fn, args...)
		if len(results) == 0 {
			return symbol(l, "nil")
		}
		return t.fromLua(results[0], l)
	}}
}

// defineMacro makes name a macro in s.
func (c *compiler) defineMacro(name string, m *macro, s *scope, at Node) {
	c.check(specials[name] == nil, at, "macro %s was overshadowed by a special form", name)
	if s.macros == nil {
		s.macros = map[string]*macro{}
	}
	s.macros[name] = m
}
