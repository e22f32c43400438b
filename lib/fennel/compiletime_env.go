package fennel

import (
	"fmt"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"quire/lib/vm"
)

// version is the version of the language that macros see.
const version = "1.5.1"

// hidden are the globals of a pipeline's Lua that macros do not see: the result of a macro
// must depend only on its arguments.
var hidden = []string{"os", "coroutine", "package"}

// setUp sets the globals that macros may use.
func (t *compileTime) setUp() {
	l := t.vm.State()
	t.loaded = l.NewTable()
	t.sequenceMark = l.NewTable()
	t.makeMetatables(l)
	for _, name := range hidden {
		l.SetGlobal(name, lua.LNil)
	}
	for name, f := range map[string]func(*lua.LState) int{
		"sym": t.luaSym, "list": t.luaList, "sequence": t.luaSequence, "gensym": t.luaGensym,
		"comment": t.luaComment, "sym?": t.luaIsSym, "multi-sym?": t.luaIsMultiSym,
		"list?":     t.luaIs(func(v *lua.LTable) bool { return v.Metatable == t.listMeta }),
		"sequence?": t.luaIs(t.isSequence),
		"varg?":     t.luaIs(func(v *lua.LTable) bool { return v.Metatable == t.varargMeta }),
		"comment?":  t.luaIs(func(v *lua.LTable) bool { return v.Metatable == t.commentMeta }),
		"table?":    t.luaIs(t.isData),
		"pairs":     t.luaPairs, "view": t.luaView, "ast-source": t.luaSource,
		"assert-compile": t.luaAssertCompile, "in-scope?": t.luaInScope, "get-scope": t.luaGetScope,
		"macroexpand": t.luaMacroexpand, "require": t.luaRequire, "getmetatable": luaGetMetatable,
		"rawlen": luaRawLen, "pack": luaPack, "fennel-module-name": luaModuleName,
		quotedTable: t.luaQuotedTable, quotedList: t.luaQuoted(t.luaList), quotedSymbol: t.luaQuoted(t.luaSym),
	} {
		l.SetGlobal(name, l.NewFunction(t.guarded(f)))
	}
	l.SetGlobal("_G", l.G.Global)
	l.SetGlobal("version", lua.LString(version))
	l.SetGlobal("macro-loaded", t.loaded)
	l.SetGlobal("_VARARG", t.varargNode)
	l.SetGlobal("_IS_COMPILER", lua.LTrue)
	for _, name := range []string{"_SCOPE", "_SPECIALS", "_CHUNK", "_AST"} {
		l.SetGlobal(name, readOnly(l, name))
	}
}

// readOnly returns an empty table that cannot be changed. In the reference compiler, macros
// can change the compiler through the table with that name.
func readOnly(l *lua.LState, name string) *lua.LTable {
	meta := l.NewTable()
	meta.RawSetString("__newindex", l.NewFunction(func(l *lua.LState) int {
		l.RaiseError("macros cannot change the compiler: %s is read-only", name)
		return 0
	}))
	table := l.NewTable()
	table.Metatable = meta
	return table
}

// Compiled quotes call these functions to make nodes. The space keeps them apart from all
// symbols of the reader.
const (
	quotedTable  = "quoted table"
	quotedList   = "quoted list"
	quotedSymbol = "quoted symbol"
)

// luaQuoted makes a node that holds, for macros to read, the file and line of its quote. For
// the compiler, it still has the position of the macro's call.
func (t *compileTime) luaQuoted(create func(*lua.LState) int) func(*lua.LState) int {
	return func(l *lua.LState) int {
		create(l)
		node := l.Get(-1).(*lua.LTable)
		if caller, ok := l.GetStack(1); ok {
			if _, err := l.GetInfo("Sl", caller, lua.LNil); err == nil && caller.CurrentLine > 0 {
				node.RawSetString("filename", lua.LString(caller.Source))
				node.RawSetString("line", lua.LNumber(caller.CurrentLine))
			}
		}
		return 1
	}
}

// guarded wraps a Go function of the compiler so that Lua can call it: an error of the
// compiler becomes a Lua error, and macros that the function calls run on the same thread.
func (t *compileTime) guarded(f func(*lua.LState) int) lua.LGFunction {
	return func(l *lua.LState) int {
		before := t.running
		t.running = l
		defer func() { t.running = before }()
		n, errs := 0, len(t.c.errs)
		if !t.c.catch(func() { n = f(l) }) {
			message := "this could not be compiled"
			if found := t.c.errs[errs:]; len(found) > 0 {
				message = found[0].Message
				if found[0].File != t.c.at.File() {
					t.refused = refusal{message: message, errs: slices.Clone(found)}
				}
				t.c.errs = t.c.errs[:errs]
			}
			l.Error(lua.LString(message), 0)
		}
		return n
	}
}

func (t *compileTime) makeMetatables(l *lua.LState) {
	tostring := func(f func(*lua.LTable) string) *lua.LFunction {
		return l.NewFunction(func(l *lua.LState) int {
			return vm.Push(l, lua.LString(f(l.CheckTable(1))))
		})
	}
	name := func(v *lua.LTable) string { return lua.LVAsString(v.RawGetInt(1)) }
	t.symMeta = l.NewTable()
	t.symMeta.RawSetString("__tostring", tostring(name))
	t.symMeta.RawSetString("__eq", l.NewFunction(func(l *lua.LState) int {
		return vm.Push(l, lua.LBool(name(l.CheckTable(1)) == name(l.CheckTable(2))))
	}))
	t.symMeta.RawSetString("__lt", l.NewFunction(func(l *lua.LState) int {
		return vm.Push(l, lua.LBool(name(l.CheckTable(1)) < name(l.CheckTable(2))))
	}))
	t.listMeta = l.NewTable()
	t.listMeta.RawSetString("__tostring", tostring(func(v *lua.LTable) string { return t.view(v) }))
	t.varargMeta = l.NewTable()
	t.varargMeta.RawSetString("__tostring", tostring(func(*lua.LTable) string { return "..." }))
	t.commentMeta = l.NewTable()
	t.commentMeta.RawSetString("__tostring", tostring(name))
	t.varargNode = l.NewTable()
	t.varargNode.RawSetInt(1, lua.LString("..."))
	t.varargNode.Metatable = t.varargMeta
}

func (t *compileTime) luaSym(l *lua.LState) int {
	name := l.CheckString(1)
	var p Position
	quoted := false
	if from, ok := l.Get(2).(*lua.LTable); ok {
		p = t.positions[from]
		quoted = from.RawGetString("quoted") == lua.LTrue
	} else if l.Get(2) == lua.LTrue {
		quoted = true
	}
	return vm.Push(l, t.symbol(name, quoted, p))
}

func (t *compileTime) luaList(l *lua.LState) int {
	out := arguments(l)
	out.Metatable = t.listMeta
	return vm.Push(l, out)
}

func (t *compileTime) luaSequence(l *lua.LState) int {
	out := arguments(l)
	out.Metatable = t.newSequenceMeta()
	return vm.Push(l, out)
}

// luaQuotedTable makes a table of alternating keys and values.
func (t *compileTime) luaQuotedTable(l *lua.LState) int {
	var keys, values []lua.LValue
	for i := 1; i < l.GetTop(); i += 2 {
		keys = append(keys, l.Get(i))
		values = append(values, l.Get(i+1))
	}
	return vm.Push(l, t.table(keys, values))
}

func arguments(l *lua.LState) *lua.LTable {
	out := l.NewTable()
	for i := 1; i <= l.GetTop(); i++ {
		if v := l.Get(i); v != lua.LNil {
			out.RawSetInt(i, v)
		}
	}
	return out
}

func (t *compileTime) luaGensym(l *lua.LState) int {
	return vm.Push(l, t.symbol(t.c.uniqueName(l.OptString(1, ""), ""), false, Position{}))
}

// uniqueName returns a name for a symbol that the source does not contain. It begins with
// base, because in case, match and lambda a name that begins with an underscore may be nil.
func (c *compiler) uniqueName(base, suffix string) string {
	for {
		c.temporaries++
		name := fmt.Sprintf("%s_%d_%s", base, c.temporaries, suffix)
		if c.main == nil || !strings.Contains(c.main.text, name) {
			return name
		}
	}
}

func (t *compileTime) luaComment(l *lua.LState) int {
	out := l.NewTable()
	out.RawSetInt(1, lua.LString(l.CheckString(1)))
	out.Metatable = t.commentMeta
	return vm.Push(l, out)
}

// luaIs makes a predicate that returns its argument if it holds, and false otherwise.
func (t *compileTime) luaIs(holds func(*lua.LTable) bool) func(*lua.LState) int {
	return func(l *lua.LState) int {
		if v, ok := l.Get(1).(*lua.LTable); ok && holds(v) {
			return vm.Push(l, v)
		}
		return vm.Push(l, lua.LFalse)
	}
}

// isData reports whether a table is data, not a list, symbol or other node.
func (t *compileTime) isData(v *lua.LTable) bool {
	switch v.Metatable {
	case t.listMeta, t.symMeta, t.varargMeta, t.commentMeta:
		return false
	}
	return true
}

func (t *compileTime) isSymbol(v lua.LValue) (string, bool) {
	s, ok := v.(*lua.LTable)
	if !ok || s.Metatable != t.symMeta {
		return "", false
	}
	return lua.LVAsString(s.RawGetInt(1)), true
}

func (t *compileTime) luaIsSym(l *lua.LState) int {
	name, ok := t.isSymbol(l.Get(1))
	if want, isString := l.Get(2).(lua.LString); ok && (!isString || string(want) == name) {
		return vm.Push(l, l.Get(1))
	}
	return vm.Push(l, lua.LFalse)
}

// luaIsMultiSym returns the parts of a path, and false for other values.
func (t *compileTime) luaIsMultiSym(l *lua.LState) int {
	name, ok := t.isSymbol(l.Get(1))
	if s, isString := l.Get(1).(lua.LString); isString {
		name, ok = string(s), true
	}
	fields, method := (&Symbol{Name: name}).parts()
	if !ok || len(fields) == 1 {
		return vm.Push(l, lua.LFalse)
	}
	out := l.NewTable()
	for _, f := range fields {
		out.Append(lua.LString(f))
	}
	if method {
		out.RawSetString("multi-sym-method-call", lua.LTrue)
	}
	return vm.Push(l, out)
}

// luaPairs iterates over a table in a stable order.
func (t *compileTime) luaPairs(l *lua.LState) int {
	v := l.CheckTable(1)
	keys := t.keys(v)
	i := 0
	l.Push(l.NewFunction(func(l *lua.LState) int {
		for i < len(keys) {
			k := keys[i]
			i++
			if value := v.RawGet(k); value != lua.LNil {
				return vm.Push(l, k, value)
			}
		}
		return vm.Push(l, lua.LNil)
	}))
	l.Push(v)
	l.Push(lua.LNil)
	return 3
}

func (t *compileTime) luaSource(l *lua.LState) int {
	v, ok := l.Get(1).(*lua.LTable)
	switch {
	case !ok:
		return vm.Push(l, l.NewTable())
	case t.isData(v) && v.Metatable != lua.LNil:
		return vm.Push(l, v.Metatable)
	}
	return vm.Push(l, v)
}

// luaAssertCompile raises its second argument unless its first is true. The error is
// reported at the form that is the third argument.
func (t *compileTime) luaAssertCompile(l *lua.LState) int {
	if lua.LVAsBool(l.Get(1)) {
		return vm.Push(l, l.Get(1))
	}
	t.refused = refusal{message: oneLine(lua.LVAsString(l.Get(2)))}
	if form, ok := l.Get(3).(*lua.LTable); ok {
		t.refused.at = t.positions[form]
	}
	l.Error(lua.LString(t.refused.message), 0)
	return 0
}

func (t *compileTime) luaInScope(l *lua.LState) int {
	name, ok := t.isSymbol(l.Get(1))
	if !ok {
		name = lua.LVAsString(l.Get(1))
	}
	if local := t.scope.lookup(name); local != nil {
		return vm.Push(l, lua.LString(local.lua))
	}
	return vm.Push(l, lua.LNil)
}

// luaGetScope describes the scope of the macro call. Macros only use the names bound in it.
func (t *compileTime) luaGetScope(l *lua.LState) int {
	manglings := l.NewTable()
	for s := t.scope; s != nil; s = s.parent {
		for name, local := range s.names {
			if manglings.RawGetString(name) == lua.LNil {
				manglings.RawSetString(name, lua.LString(local.lua))
			}
		}
	}
	out := l.NewTable()
	out.RawSetString("manglings", manglings)
	out.RawSetString("vararg", lua.LBool(t.scope != nil && t.scope.fn.vararg))
	return vm.Push(l, out)
}

// luaMacroexpand expands a form until its head is not a macro.
func (t *compileTime) luaMacroexpand(l *lua.LState) int {
	at := &List{Position: t.c.at}
	const most = 50 // each uses both a Go stack and a Lua stack
	t.expanding++
	defer func() { t.expanding-- }()
	t.c.check(t.expanding <= most, at, "macroexpand calls itself too deeply: more than %d times", most)
	n := t.fromLua(l.Get(1), at)
	return vm.Push(l, t.toLua(t.c.expand(n, t.scope)))
}

// luaRequire loads another macro module.
func (t *compileTime) luaRequire(l *lua.LState) int {
	at := t.c.at
	if file, line := vm.Caller(l); t.c.sources[file] != nil {
		at = t.c.sources[file].startOf(line)
	}
	return vm.Push(l, t.module(l.CheckString(1), &List{Position: at}))
}

func luaGetMetatable(l *lua.LState) int {
	if _, ok := l.Get(1).(lua.LString); ok {
		l.RaiseError("the metatable of strings is not for macros")
	}
	meta := l.GetMetatable(l.Get(1))
	if table, ok := meta.(*lua.LTable); ok {
		if hidden := table.RawGetString("__metatable"); hidden != lua.LNil {
			meta = hidden
		}
	}
	return vm.Push(l, meta)
}

func luaRawLen(l *lua.LState) int {
	switch v := l.Get(1).(type) {
	case *lua.LTable:
		return vm.Push(l, lua.LNumber(v.Len()))
	case lua.LString:
		return vm.Push(l, lua.LNumber(len(v)))
	}
	l.RaiseError("table or string expected")
	return 0
}

func luaPack(l *lua.LState) int {
	out := arguments(l)
	out.RawSetString("n", lua.LNumber(l.GetTop()))
	return vm.Push(l, out)
}

func luaModuleName(l *lua.LState) int {
	return vm.Push(l, lua.LString("fennel"))
}

// oneLine puts a message on one line.
func oneLine(s string) string {
	return strings.Join(strings.Fields(s), " ")
}
