package fennel

import (
	"strings"

	lua "github.com/yuin/gopher-lua"

	"quire/lib/vm"
)

// macroMacro defines one macro, written like a function.
func macroMacro(c *compiler, l *List, s *scope) Node {
	name, ok := c.item(l, 1).(*Symbol)
	c.checkHint(ok, c.itemOr(l, 1), "write (macro name [parameters] body)", "expected symbol for macro name")
	c.check(len(l.Items) > 2, l, "expected parameters table")
	return list(l, "macros", &Table{l.Position, []Node{text(name, name.Name)}, []Node{list(l, "fn", l.Items[2:]...)}})
}

// specialMacros evaluates a table at compile time, and makes its fields macros in this
// scope.
func specialMacros(c *compiler, l *List, s *scope, b *block, w want) result {
	c.check(len(l.Items) == 2, l, "expected one table argument")
	if table, ok := l.Items[1].(*Table); ok {
		for _, key := range table.Keys {
			if name, ok := key.(*String); ok {
				c.checkMacroName(symbol(name, name.Value))
			}
		}
	}
	t := c.macros()
	t.define(vm.First(t.evaluate(l.Items[1], s)), s, l)
	return values(luaNil)
}

// checkMacroName refuses names that cannot be called.
func (c *compiler) checkMacroName(n *Symbol) {
	fields, _ := n.parts()
	c.check(len(fields) == 1 && n.Name != "nil" && !strings.Contains(n.Name, "&"), n, "a macro cannot be called %s", n.Name)
	c.check(specials[n.Name] == nil, n, "local %s was overshadowed by a special form or macro", n.Name)
}

// moduleName evaluates the name of a module at compile time.
func (c *compiler) moduleName(n Node, s *scope) string {
	if name, ok := n.(*String); ok {
		return name.Value
	}
	// As in a loaded module, "..." is the name of the module and its file.
	var name lua.LValue = lua.LNil
	if c.module != "" {
		name = lua.LString(c.module)
	}
	v, ok := vm.First(c.macros().evaluate(n, s, name, lua.LString(n.Pos().File()))).(lua.LString)
	c.check(ok, n, "module name must compile to string")
	return string(v)
}

// specialRequireMacros makes all functions of a module macros in this scope.
func specialRequireMacros(c *compiler, l *List, s *scope, b *block, w want) result {
	c.check(len(l.Items) == 2, l, "expected one module name argument")
	t := c.macros()
	t.define(t.module(c.moduleName(l.Items[1], s), l), s, l)
	return values(luaNil)
}

// specialImportMacros binds macros of modules: (import-macros binding module ...). A binding
// is a name for all macros of the module, or {:name local-name : name}.
func specialImportMacros(c *compiler, l *List, s *scope, b *block, w want) result {
	c.check(len(l.Items) > 1 && len(l.Items)%2 == 1, l, "expected even number of binding/modulename pairs")
	t := c.macros()
	for i := 1; i < len(l.Items); i += 2 {
		name := c.moduleName(l.Items[i+1], s)
		module, ok := t.module(name, l.Items[i+1]).(*lua.LTable)
		c.check(ok, l.Items[i+1], "expected macros to be table")
		switch binding := l.Items[i].(type) {
		case *Symbol:
			const levels = 4 // of tables in tables; a module may contain itself
			c.checkMacroName(binding)
			c.defineMacro(binding.Name, t.namespace(module, levels), s, binding)
		case *Table:
			c.importNames(t, binding, module, name, s)
		default:
			c.fail(binding, "unable to bind macros to %s", show(binding))
		}
	}
	return values(luaNil)
}

func (c *compiler) importNames(t *compileTime, binding *Table, module *lua.LTable, name string, s *scope) {
	for i, key := range binding.Keys {
		local, ok := binding.Values[i].(*Symbol)
		c.check(ok, binding.Values[i], "expected a name for the macro, not %s", show(binding.Values[i]))
		imported, ok := key.(*String)
		c.check(ok, key, "expected the name of a macro, not %s", show(key))
		m := t.macro(module.RawGetString(imported.Value))
		c.check(m != nil, key, "macro %s not found in module %s", imported.Value, name)
		c.checkMacroName(local)
		c.defineMacro(local.Name, m, s, local)
	}
}

// specialEvalCompiler runs forms at compile time and puts their result into the output as
// Lua text.
func specialEvalCompiler(c *compiler, l *List, s *scope, b *block, w want) result {
	v := vm.First(c.macros().evaluate(list(l, "do", l.Items[1:]...), s))
	switch v := v.(type) {
	case *lua.LNilType:
		return values(luaNil)
	case lua.LString, lua.LNumber, lua.LBool:
		text := luaOnOneLine(v.String())
		if text == "" {
			return result{}
		}
		return values(&luaRaw{c.lineOf(l), text})
	}
	return values(luaNil)
}

// macroMacrodebug prints the expansion of a form, or with a second argument returns it as
// a string.
func macroMacrodebug(c *compiler, l *List, s *scope) Node {
	c.check(len(l.Items) == 2 || len(l.Items) == 3, l, "expected a form to expand")
	shown := text(l, format(c.expand(l.Items[1], s)))
	if len(l.Items) == 3 {
		return shown
	}
	return list(l, "print", shown)
}
