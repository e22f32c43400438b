package vm

import (
	"math"
	"strings"
	"sync"

	lua "github.com/yuin/gopher-lua"
)

// A donor is a library of gopher-lua of which something is good as it is. The rest is
// either a way out (io, debug, most of os, load and its kin), or of no use without them
// (getfenv, setfenv, module, newproxy, collectgarbage), or written anew in this
// package: because it works or allocates without bound in one call, or calls Lua,
// or differs from Lua 5.1 in a way that pipelines meet, or, as all of the base
// library, because every pipeline uses it.
type donor struct {
	name  string
	open  lua.LGFunction
	taken string     // the names of what is taken
	made  []function // what is made in its place

	opened  sync.Once
	library *lua.LTable
}

var donors = [...]donor{
	{name: lua.TabLibName, open: lua.OpenTable, taken: "getn maxn remove", made: []function{
		{"concat", tableConcat}, {"insert", tableInsert}, {"pack", tablePack}, {"sort", tableSort}, {"unpack", unpack},
	}},
	{name: lua.StringLibName, open: lua.OpenString, taken: "len reverse sub", made: []function{
		{"byte", stringByte}, {"char", stringChar}, {"find", stringFind}, {"format", stringFormat}, {"gmatch", stringGmatch},
		{"gsub", stringGsub}, {"lower", stringLower}, {"match", stringMatch}, {"rep", stringRep}, {"upper", stringUpper},
	}},
	{name: lua.OsLibName, open: lua.OpenOs, taken: "clock date difftime time"},
	{name: lua.MathLibName, open: lua.OpenMath, taken: "abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp " +
		"ldexp log log10 max min mod modf pow rad random randomseed sin sinh sqrt tan tanh"},
}

// function returns a function of the library. That is opened when the first of its
// functions is called: most pipelines call none, and opening all libraries is a good part
// of what it takes to validate one. It is opened in a state of its own, so that nothing
// that is not taken is anywhere in another, and keeps nothing in that state.
func (d *donor) function(name string) *lua.LFunction {
	d.opened.Do(func() {
		l := lua.NewState(lua.Options{SkipOpenLibs: true, RegistrySize: rootRegistry, CallStackSize: rootFrames})
		defer l.Close()
		l.Push(l.NewFunction(d.open))
		l.Push(lua.LString(d.name))
		l.Call(1, 1)
		d.library = l.Get(-1).(*lua.LTable)
	})
	return d.library.RawGetString(name).(*lua.LFunction)
}

// gift returns what calls a function of the library.
func (d *donor) gift(name string) lua.LGFunction {
	var fn lua.LGFunction
	return func(l *lua.LState) int {
		if fn == nil {
			fn = d.function(name).GFunction
		}
		return fn(l)
	}
}

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

// addLibrary makes a table a global, and what requiring its name gives.
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
	for i := range donors {
		v.addLibrary(donors[i].name, v.library(&donors[i]))
	}
	methods := v.root.NewTable()
	methods.RawSetString("__index", globals.RawGetString(lua.StringLibName))
	v.root.SetMetatable(lua.LString(""), methods)
}

// library returns a table of what is taken of a library and what is made instead.
func (v *VM) library(d *donor) *lua.LTable {
	table := v.root.CreateTable(0, strings.Count(d.taken, " ")+1+len(d.made))
	for name := range strings.FieldsSeq(d.taken) {
		fn := d.gift(name)
		if d.name == lua.OsLibName && name == "date" {
			fn = boundedDate(fn)
		}
		table.RawSetString(name, v.root.NewFunction(fn))
	}
	v.fill(table, d.made)
	if d.name == lua.MathLibName {
		table.RawSetString("pi", lua.LNumber(math.Pi))
		table.RawSetString("huge", lua.LNumber(math.Inf(1)))
	}
	return table
}

// maxDate bounds the format of os.date, which grows tenfold and more in one go.
const maxDate = 1 << 10

func boundedDate(date lua.LGFunction) lua.LGFunction {
	return func(l *lua.LState) int {
		if len(l.OptString(1, "")) > maxDate {
			l.ArgError(1, "format too long")
		}
		return date(l)
	}
}

// room raises an error where a value of n bytes, made in one go, would be too
// much. Smaller ones add up to where the watch sees them.
func room(l *lua.LState, n uint64) {
	if t := turnOf(l); n > t.vm.limits.Memory/8 {
		t.raise(l, t.exceed(Memory))
	}
}
