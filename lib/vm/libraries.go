package vm

import lua "github.com/yuin/gopher-lua"

// gopher-lua's libraries are not used. Some of their functions reach outside (io, debug,
// most of os, load and its kin) or are of no use without those (getfenv, setfenv, module,
// newproxy, collectgarbage). Others work or allocate without bound in one call, or
// differ from Lua 5.1, above all in how they convert arguments.

// A function is one of a library.
type function struct {
	name string
	fn   lua.LGFunction
}

// fill puts functions into a table.
func (v *VM) fill(table *lua.LTable, functions []function) {
	for _, f := range functions {
		table.RawSetString(f.name, v.root.NewFunction(f.fn))
	}
}

// addLibrary makes a table a global, and the result of requiring its name.
func (v *VM) addLibrary(name string, library *lua.LTable) {
	v.root.G.Global.RawSetString(name, library)
	v.loaded.RawSetString(name, library)
}

// openLibraries fills the globals.
func (v *VM) openLibraries() {
	globals := v.root.G.Global
	v.fill(globals, v.baseLibrary())
	globals.RawSetString("_VERSION", lua.LString(lua.LuaVersion))
	v.addLibrary("package", v.packageLibrary())
	v.addLibrary("_G", globals)
	v.addLibrary("coroutine", v.coroutineLibrary())
	v.addLibrary("table", v.library(tableLibrary))
	v.addLibrary("string", v.library(stringLibrary))
	v.addLibrary("os", v.library(osLibrary))
	v.addLibrary("math", v.mathLibrary())
	methods := v.root.NewTable()
	methods.RawSetString("__index", globals.RawGetString("string"))
	v.stringOperators(methods)
	v.root.SetMetatable(lua.LString(""), methods)
}

// library returns a table of functions.
func (v *VM) library(functions []function) *lua.LTable {
	table := v.root.CreateTable(0, len(functions))
	v.fill(table, functions)
	return table
}

// checkAlloc raises an error if a value of n bytes, made in one go, would be too large.
// Smaller ones add up until the watch sees them.
func checkAlloc(l *lua.LState, n uint64) { callOf(l).checkAlloc(l, n) }

func (t *call) checkAlloc(l *lua.LState, n uint64) {
	if n > t.vm.limits.Memory/8 {
		t.raise(l, t.exceed(Memory))
	}
}
