package fennel

import (
	"fmt"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"quire/lib/vm"
)

// version is the version of the language that macros are told.
const version = "1.5.1"

// hidden are the globals of a pipeline's Lua that macros do not get: what they
// do must depend on nothing but their arguments.
var hidden = []string{"os", "coroutine", "package"}

// setUp fills the globals of the state with what macros may use.
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
		"table?":    t.luaIs(t.isPlainTable),
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

// readOnly returns an empty table that refuses to be changed. The reference compiler lets
// macros change the compiler through the table of that name.
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

// What compiled quotes make nodes with. No symbol the reader makes has a space
// in it.
const (
	quotedTable  = "quoted table"
	quotedList   = "quoted list"
	quotedSymbol = "quoted symbol"
)

// luaQuoted makes a node that tells where its quote is written. To the compiler
// it still stands where the macro is called.
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

// guarded makes a Go function of the compiler fit to be called by Lua: an error
// of the compiler becomes one of Lua, and macros called from there know which
// thread they are on.
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
			l.Push(lua.LString(f(l.CheckTable(1))))
			return 1
		})
	}
	name := func(v *lua.LTable) string { return lua.LVAsString(v.RawGetInt(1)) }
	t.symMeta = l.NewTable()
	t.symMeta.RawSetString("__tostring", tostring(name))
	t.symMeta.RawSetString("__eq", l.NewFunction(func(l *lua.LState) int {
		l.Push(lua.LBool(name(l.CheckTable(1)) == name(l.CheckTable(2))))
		return 1
	}))
	t.symMeta.RawSetString("__lt", l.NewFunction(func(l *lua.LState) int {
		l.Push(lua.LBool(name(l.CheckTable(1)) < name(l.CheckTable(2))))
		return 1
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
		p = t.places[from]
		quoted = from.RawGetString("quoted") == lua.LTrue
	} else if l.Get(2) == lua.LTrue {
		quoted = true
	}
	l.Push(t.symbol(name, quoted, p))
	return 1
}

func (t *compileTime) luaList(l *lua.LState) int {
	out := arguments(l)
	out.Metatable = t.listMeta
	l.Push(out)
	return 1
}

func (t *compileTime) luaSequence(l *lua.LState) int {
	out := arguments(l)
	out.Metatable = t.newSequenceMeta()
	l.Push(out)
	return 1
}

// luaQuotedTable makes a table of alternating keys and values.
func (t *compileTime) luaQuotedTable(l *lua.LState) int {
	var keys, values []lua.LValue
	for i := 1; i < l.GetTop(); i += 2 {
		keys = append(keys, l.Get(i))
		values = append(values, l.Get(i+1))
	}
	l.Push(t.table(keys, values))
	return 1
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
	l.Push(t.symbol(t.c.uniqueName(l.OptString(1, ""), ""), false, Position{}))
	return 1
}

// uniqueName returns a name for a symbol that the source does not have. It begins with
// base: a name that begins with an underscore may be nil in case, match and lambda.
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
	l.Push(out)
	return 1
}

// luaIs makes a predicate that returns its argument where it holds.
func (t *compileTime) luaIs(holds func(*lua.LTable) bool) func(*lua.LState) int {
	return func(l *lua.LState) int {
		if v, ok := l.Get(1).(*lua.LTable); ok && holds(v) {
			l.Push(v)
		} else {
			l.Push(lua.LFalse)
		}
		return 1
	}
}

// isPlainTable reports whether a table is data: no list, symbol or other node.
func (t *compileTime) isPlainTable(v *lua.LTable) bool {
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
		l.Push(l.Get(1))
	} else {
		l.Push(lua.LFalse)
	}
	return 1
}

// luaIsMultiSym gives the parts of a path.
func (t *compileTime) luaIsMultiSym(l *lua.LState) int {
	name, ok := t.isSymbol(l.Get(1))
	if s, isString := l.Get(1).(lua.LString); isString {
		name, ok = string(s), true
	}
	fields, method := (&Symbol{Name: name}).parts()
	if !ok || len(fields) == 1 {
		l.Push(lua.LFalse)
		return 1
	}
	out := l.NewTable()
	for _, f := range fields {
		out.Append(lua.LString(f))
	}
	if method {
		out.RawSetString("multi-sym-method-call", lua.LTrue)
	}
	l.Push(out)
	return 1
}

// luaPairs goes through a table in a stable order.
func (t *compileTime) luaPairs(l *lua.LState) int {
	v := l.CheckTable(1)
	keys := t.keys(v)
	i := 0
	l.Push(l.NewFunction(func(l *lua.LState) int {
		for i < len(keys) {
			k := keys[i]
			i++
			if value := v.RawGet(k); value != lua.LNil {
				l.Push(k)
				l.Push(value)
				return 2
			}
		}
		l.Push(lua.LNil)
		return 1
	}))
	l.Push(v)
	l.Push(lua.LNil)
	return 3
}

func (t *compileTime) luaSource(l *lua.LState) int {
	v, ok := l.Get(1).(*lua.LTable)
	switch {
	case !ok:
		l.Push(l.NewTable())
	case t.isPlainTable(v) && v.Metatable != lua.LNil:
		l.Push(v.Metatable)
	default:
		l.Push(v)
	}
	return 1
}

// luaAssertCompile raises its message unless its first argument is true. The
// error will point at the form that is the third.
func (t *compileTime) luaAssertCompile(l *lua.LState) int {
	if lua.LVAsBool(l.Get(1)) {
		l.Push(l.Get(1))
		return 1
	}
	t.refused = refusal{message: oneLine(lua.LVAsString(l.Get(2)))}
	if form, ok := l.Get(3).(*lua.LTable); ok {
		t.refused.at = t.places[form]
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
		l.Push(lua.LString(local.lua))
		return 1
	}
	l.Push(lua.LNil)
	return 1
}

// luaGetScope describes the scope of the macro call as far as macros ask for:
// the names bound in it.
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
	l.Push(out)
	return 1
}

// luaMacroexpand expands a form until its head is no macro.
func (t *compileTime) luaMacroexpand(l *lua.LState) int {
	at := &List{Position: t.c.at}
	const most = 50 // each needs a stack of Go and one of Lua
	t.expanding++
	defer func() { t.expanding-- }()
	t.c.check(t.expanding <= most, at, "macroexpand calls itself too deeply: more than %d times", most)
	n := t.fromLua(l.Get(1), at)
	l.Push(t.toLua(t.c.expand(n, t.scope)))
	return 1
}

// luaRequire loads another macro module.
func (t *compileTime) luaRequire(l *lua.LState) int {
	at := t.c.at
	if file, line := vm.Caller(l); t.c.sources[file] != nil {
		at = t.c.sources[file].startOf(line)
	}
	l.Push(t.module(l.CheckString(1), &List{Position: at}))
	return 1
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
	l.Push(meta)
	return 1
}

func luaRawLen(l *lua.LState) int {
	switch v := l.Get(1).(type) {
	case *lua.LTable:
		l.Push(lua.LNumber(v.Len()))
	case lua.LString:
		l.Push(lua.LNumber(len(v)))
	default:
		l.RaiseError("table or string expected")
	}
	return 1
}

func luaPack(l *lua.LState) int {
	out := arguments(l)
	out.RawSetString("n", lua.LNumber(l.GetTop()))
	l.Push(out)
	return 1
}

func luaModuleName(l *lua.LState) int {
	l.Push(lua.LString("fennel"))
	return 1
}

// oneLine puts a message on one line.
func oneLine(s string) string {
	return strings.Join(strings.Fields(s), " ")
}
