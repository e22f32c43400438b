package vm

import (
	"context"
	"slices"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// TestNothingElseIsReachable walks every table that Lua can reach from its globals,
// through fields and metatables, and checks that only these names exist.
func TestNothingElseIsReachable(t *testing.T) {
	v := New(Limits{})
	defer v.Close()
	known := map[string]bool{}
	for name := range strings.FieldsSeq("_G _VERSION assert error getmetatable ipairs next pairs pcall print rawequal " +
		"rawget rawset require select setmetatable tonumber tostring type unpack xpcall coroutine math os package string table") {
		known[name] = true
	}
	know := func(library, names string) {
		for name := range strings.FieldsSeq(names) {
			known[library+"."+name] = true
		}
	}
	know("coroutine", "create isyieldable resume running status wrap yield")
	know("math", "abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp huge ldexp log log10 max min mod modf "+
		"pi pow rad random randomseed sin sinh sqrt tan tanh")
	know("os", "clock date difftime time")
	know("package", "loaded preload")
	know("string", "byte char find format gmatch gsub len lower match rep reverse sub upper")
	know("table", "concat getn insert maxn pack remove sort unpack")
	seen := map[*lua.LTable]bool{}
	var walk func(path string, table *lua.LTable)
	walk = func(path string, table *lua.LTable) {
		if seen[table] {
			return
		}
		seen[table] = true
		table.ForEach(func(key, value lua.LValue) {
			name := strings.TrimPrefix(path+"."+key.String(), ".")
			isOperator := func(op operator) bool { return op.metamethod == key.String() }
			if path == "metatable of strings" && slices.ContainsFunc(operators, isOperator) {
				return
			}
			if path == "package.loaded" || path == "metatable of strings" {
				name = key.String()
			} else if !known[name] {
				t.Errorf("%s is reachable", name)
			}
			if inner, ok := value.(*lua.LTable); ok {
				walk(name, inner)
			}
		})
	}
	walk("", v.State().G.Global)
	walk("metatable of strings", v.State().GetMetatable(lua.LString("")).(*lua.LTable))
	if !seen[v.loaded] {
		t.Error("package.loaded was not walked")
	}
}

// TestBase checks the functions of the base library on values and tables.
func TestBase(t *testing.T) {
	v := New(Limits{})
	defer v.Close()
	for text, want := range map[string]string{
		`type(nil)`: "nil",
		`tostring(setmetatable({}, {__tostring = function() return "s" end}))`: "s",
		`getmetatable(setmetatable({}, {__metatable = "m"}))`:                  "m",
		`rawequal({}, {})`:                "false",
		`rawget(rawset({}, "k", 1), "k")`: "1",
		`select("#", nil, nil)`:           "2",
		`select(2, 1, 2, 3)`:              "2",
		`select(-1, 1, 2, 3)`:             "3",
		`#{select(9, 1)}`:                 "0",
		`pcall(select, 0)`:                "false",
		`pcall(select, "x")`:              "false",
		`next({})`:                        "nil",
		`next({5})`:                       "1",
		`(function() local n = 0 for i, x in ipairs({1, 2, nil, 4}) do n = n + i * x end return n end)()`: "5",
		`(function() local n = 0 for _, x in pairs({1, 2, a = 4}) do n = n + x end return n end)()`:       "7",
		`pcall(pairs)`:                   "false",
		`math.pi > 3 and math.max(1, 2)`: "2",
		`("abc"):reverse():sub(1, 2)`:    "cb",
	} {
		got, err := v.Run(context.Background(), "return "+text, "base")
		if err != nil || got[0].String() != want {
			t.Errorf("%s is %v, %v; want %s", text, got, err, want)
		}
	}
}
