package vm

import (
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// TestNothingElseIsReachable walks every table that Lua can get at from its
// globals, by fields and by metatables, and holds that only these names are there.
func TestNothingElseIsReachable(t *testing.T) {
	v := New(Limits{})
	defer v.Close()
	known := map[string]bool{}
	for name := range strings.FieldsSeq("_G _VERSION assert error getmetatable ipairs next pairs pcall print rawequal " +
		"rawget rawset require select setmetatable tonumber tostring type unpack xpcall coroutine math os package string table") {
		known[name] = true
	}
	for library, names := range map[string]string{
		"coroutine": "create isyieldable resume running status wrap yield",
		"math":      taken[lua.MathLibName] + " huge pi",
		"os":        taken[lua.OsLibName],
		"package":   "loaded preload",
		"string":    taken[lua.StringLibName] + " byte char find format gmatch gsub lower match rep upper",
		"table":     taken[lua.TabLibName] + " concat insert sort",
	} {
		for name := range strings.FieldsSeq(names) {
			known[library+"."+name] = true
		}
	}
	seen := map[*lua.LTable]bool{}
	var walk func(path string, table *lua.LTable)
	walk = func(path string, table *lua.LTable) {
		if seen[table] {
			return
		}
		seen[table] = true
		table.ForEach(func(key, value lua.LValue) {
			name := strings.TrimPrefix(path+"."+key.String(), ".")
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
