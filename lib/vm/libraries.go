package vm

import (
	"math"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// taken is what of gopher-lua's libraries is good as it is. The rest is either a
// way out (io, debug, most of os, load and its kin), or of no use without them
// (getfenv, setfenv, module, newproxy, collectgarbage), or written anew in this
// package: because it works or allocates without bound in one call, or calls Lua,
// or differs from Lua 5.1 in a way that pipelines meet.
var taken = map[string]string{
	lua.BaseLibName:   "_VERSION getmetatable ipairs next pairs rawequal rawget rawset select tostring type",
	lua.TabLibName:    "getn maxn remove",
	lua.StringLibName: "len reverse sub",
	lua.OsLibName:     "clock date difftime time",
	lua.MathLibName: "abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp ldexp log log10 max min mod modf " +
		"pi pow rad random randomseed sin sinh sqrt tan tanh",
}

var openers = map[string]lua.LGFunction{
	lua.BaseLibName:   lua.OpenBase,
	lua.TabLibName:    lua.OpenTable,
	lua.StringLibName: lua.OpenString,
	lua.OsLibName:     lua.OpenOs,
	lua.MathLibName:   lua.OpenMath,
}

// openLibraries fills the globals.
func (v *VM) openLibraries() {
	// Libraries are opened in a state of their own, so that nothing that is not
	// taken is anywhere in this one.
	donor := lua.NewState(lua.Options{SkipOpenLibs: true, RegistrySize: registryStart, CallStackSize: 8})
	defer donor.Close()
	globals := v.root.G.Global
	take(donor, lua.BaseLibName, globals)
	v.root.SetFuncs(globals, map[string]lua.LGFunction{
		"assert": luaAssert, "error": luaError, "pcall": v.pcall, "print": v.luaPrint, "setmetatable": setMetatable,
		"tonumber": toNumber, "unpack": unpack, "xpcall": v.xpcall,
	})
	libraries := map[string]*lua.LTable{"coroutine": v.coroutineLibrary(), "package": v.packageLibrary()}
	for name := range openers {
		if name != lua.BaseLibName {
			libraries[name] = take(donor, name, v.root.NewTable())
		}
	}
	libraries["math"].RawSetString("huge", lua.LNumber(math.Inf(1)))
	date := libraries["os"].RawGetString("date").(*lua.LFunction)
	libraries["os"].RawSetString("date", v.root.NewFunction(boundedDate(date.GFunction)))
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
	globals.RawSetString("_G", globals) // this state's: the donor's has all that was not taken
	v.loaded.RawSetString("_G", globals)
}

// take opens a library in donor and copies what is taken of it to a table, which
// it returns.
func take(donor *lua.LState, name string, to *lua.LTable) *lua.LTable {
	donor.Push(donor.NewFunction(openers[name]))
	donor.Push(lua.LString(name))
	donor.Call(1, 1)
	from := donor.Get(-1).(*lua.LTable)
	for key := range strings.FieldsSeq(taken[name]) {
		to.RawSetString(key, from.RawGetString(key))
	}
	return to
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
