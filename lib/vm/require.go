package vm

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// A Searcher finds a module for require. It returns the function that makes the
// module, which is called with the module's name. If it finds none, loader is nil and
// searched says in a few words what it tried. If the module exists but cannot be used,
// it returns an error. It runs under the Lua lock.
type Searcher func(name string) (loader *lua.LFunction, searched string, err error)

// Search adds a searcher. require asks it after the preloaded modules and the searchers
// that were added before.
func (v *VM) Search(s Searcher) { v.searchers = append(v.searchers, s) }

// Preload makes require return value for name.
func (v *VM) Preload(name string, value lua.LValue) { v.loaded.RawSetString(name, value) }

// packageLibrary returns Lua's table package, without paths to search.
func (v *VM) packageLibrary() *lua.LTable {
	v.loaded, v.preload = v.root.NewTable(), v.root.NewTable()
	library := v.root.NewTable()
	library.RawSetString("loaded", v.loaded)
	library.RawSetString("preload", v.preload)
	v.root.SetGlobal("require", v.root.NewFunction(v.require))
	return library
}

func (v *VM) require(l *lua.LState) int {
	name := checkString(l, 1)
	value := v.loaded.RawGetString(name)
	if value == v.loading {
		raiseError(l, "module '%s' requires itself", name)
	}
	if value == lua.LNil {
		value = v.load(l, name)
	}
	return Push(l, value)
}

// load finds and runs a module. A module that fails may be required again.
func (v *VM) load(l *lua.LState, name string) lua.LValue {
	loader := v.find(l, name)
	v.loaded.RawSetString(name, v.loading)
	defer func() {
		if v.loaded.RawGetString(name) == v.loading {
			v.loaded.RawSetString(name, lua.LNil)
		}
	}()
	t := callOf(l)
	t.nest(l)
	defer t.unnest()
	value := callOne(l, loader, lua.LString(name))
	if set := v.loaded.RawGetString(name); value == lua.LNil && set != v.loading {
		value = set // the module has set its value itself
	}
	if value == lua.LNil {
		value = lua.LTrue
	}
	v.loaded.RawSetString(name, value)
	return value
}

func (v *VM) find(l *lua.LState, name string) *lua.LFunction {
	if fn, ok := v.preload.RawGetString(name).(*lua.LFunction); ok {
		return fn
	}
	var searched []string
	for _, search := range v.searchers {
		loader, where, err := search(name)
		if err != nil {
			Raise(l, err)
		}
		if loader != nil {
			return loader
		}
		searched = append(searched, where)
	}
	if len(searched) == 0 {
		raiseError(l, "module '%s' not found", name)
	}
	raiseError(l, "module '%s' not found: no %s", name, strings.Join(searched, ", no "))
	return nil
}
