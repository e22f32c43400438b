package vm

import (
	"math"
	"strings"
	"sync"

	lua "github.com/yuin/gopher-lua"
)

// taken is what of gopher-lua's libraries is good as it is. The rest is either a
// way out (io, debug, most of os, load and its kin), or of no use without them
// (getfenv, setfenv, module, newproxy, collectgarbage), or written anew in this
// package: because it works or allocates without bound in one call, or calls Lua,
// or differs from Lua 5.1 in a way that pipelines meet, or, as all of the base
// library, because every pipeline uses it.
var taken = map[string]string{
	lua.TabLibName:    "getn maxn remove",
	lua.StringLibName: "len reverse sub",
	lua.OsLibName:     "clock date difftime time",
	lua.MathLibName: "abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp ldexp log log10 max min mod modf " +
		"pow rad random randomseed sin sinh sqrt tan tanh",
}

// donors opens a library of gopher-lua in a state of its own, so that nothing that
// is not taken is anywhere in another. What is in it keeps nothing in that state.
var donors = map[string]func() *lua.LTable{
	lua.TabLibName:    sync.OnceValue(func() *lua.LTable { return openDonor(lua.TabLibName, lua.OpenTable) }),
	lua.StringLibName: sync.OnceValue(func() *lua.LTable { return openDonor(lua.StringLibName, lua.OpenString) }),
	lua.OsLibName:     sync.OnceValue(func() *lua.LTable { return openDonor(lua.OsLibName, lua.OpenOs) }),
	lua.MathLibName:   sync.OnceValue(func() *lua.LTable { return openDonor(lua.MathLibName, lua.OpenMath) }),
}

func openDonor(name string, opener lua.LGFunction) *lua.LTable {
	donor := lua.NewState(lua.Options{SkipOpenLibs: true, RegistrySize: rootRegistry, CallStackSize: rootFrames})
	defer donor.Close()
	donor.Push(donor.NewFunction(opener))
	donor.Push(lua.LString(name))
	donor.Call(1, 1)
	return donor.Get(-1).(*lua.LTable)
}

// donated is a function of a library in donors. The library is opened when one of
// its functions is called: most pipelines call none, and opening all of them is a
// good part of what it takes to validate one.
func donated(library, name string) lua.LGFunction {
	var fn lua.LGFunction
	return func(l *lua.LState) int {
		if fn == nil {
			fn = donors[library]().RawGetString(name).(*lua.LFunction).GFunction
		}
		return fn(l)
	}
}

// openLibraries fills the globals.
func (v *VM) openLibraries() {
	globals := v.root.G.Global
	v.root.SetFuncs(globals, v.baseLibrary())
	globals.RawSetString("_VERSION", lua.LString(lua.LuaVersion))
	libraries := map[string]*lua.LTable{"coroutine": v.coroutineLibrary(), "package": v.packageLibrary()}
	for name, names := range taken {
		functions := strings.Fields(names)
		library := v.root.CreateTable(0, len(functions))
		for _, function := range functions {
			library.RawSetString(function, v.root.NewFunction(donated(name, function)))
		}
		libraries[name] = library
	}
	libraries["math"].RawSetString("pi", lua.LNumber(math.Pi))
	libraries["math"].RawSetString("huge", lua.LNumber(math.Inf(1)))
	libraries["os"].RawSetString("date", v.root.NewFunction(boundedDate(donated(lua.OsLibName, "date"))))
	v.root.SetFuncs(libraries["table"], map[string]lua.LGFunction{
		"concat": tableConcat, "insert": tableInsert, "sort": tableSort,
	})
	v.root.SetFuncs(libraries["string"], map[string]lua.LGFunction{
		"byte": stringByte, "char": stringChar, "find": stringFind, "format": stringFormat, "gmatch": stringGmatch,
		"gsub": stringGsub, "lower": stringLower, "match": stringMatch, "rep": stringRep, "upper": stringUpper,
	})
	strings := v.root.NewTable()
	strings.RawSetString("__index", libraries["string"])
	v.root.SetMetatable(lua.LString(""), strings)

	for name, library := range libraries {
		globals.RawSetString(name, library)
		v.loaded.RawSetString(name, library)
	}
	globals.RawSetString("_G", globals)
	v.loaded.RawSetString("_G", globals)
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
