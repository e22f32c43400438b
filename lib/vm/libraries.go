package vm

import lua "github.com/yuin/gopher-lua"

// gopher-lua's libraries are not used. Some of their functions leave the sandbox (io, debug,
// most of os, load and similar ones) or are useless without those (getfenv, setfenv, module,
// newproxy, collectgarbage). Others work or allocate without bound in one call, or
// differ from Lua 5.1, mainly in how they convert arguments.

// A function is a named function of a library.
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

// addLibrary makes a library a global, and makes require return it.
func (v *VM) addLibrary(name string, library *lua.LTable) {
	v.root.G.Global.RawSetString(name, library)
	v.loaded.RawSetString(name, library)
}

// openLibraries sets the globals.
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

// checkAlloc raises an error if a single value of n bytes would be too large. The sum of
// smaller ones is left to the watch.
func checkAlloc(l *lua.LState, n uint64) { callOf(l).checkAlloc(l, n) }

func (t *call) checkAlloc(l *lua.LState, n uint64) {
	if n > t.vm.limits.Memory/8 {
		t.raise(l, t.exceed(Memory))
	}
}
