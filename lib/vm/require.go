package vm

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// A Searcher finds a module for require. It returns the function that makes the
// module, which is called with the module's name; or nil and, in a few words,
// where it looked; or an error where the module is there and cannot be used.
// It runs under the Lua lock.
type Searcher func(name string) (loader *lua.LFunction, looked string, err error)

// Search adds a searcher, to be asked after the preloaded modules and the
// searchers that were added before.
func (v *VM) Search(s Searcher) { v.searchers = append(v.searchers, s) }

// Preload makes value what requiring name gives.
func (v *VM) Preload(name string, value lua.LValue) { v.loaded.RawSetString(name, value) }

// packageLibrary returns the table of that name, which has no path to search.
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
	l.Push(value)
	return 1
}

// load finds a module and makes it. One that fails may be required again.
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
	l.Push(loader)
	l.Push(lua.LString(name))
	l.Call(1, 1)
	value := l.Get(-1)
	l.Pop(1)
	if set := v.loaded.RawGetString(name); value == lua.LNil && set != v.loading {
		value = set // the module did it itself
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
	var looked []string
	for _, search := range v.searchers {
		loader, where, err := search(name)
		if err != nil {
			Raise(l, err)
		}
		if loader != nil {
			return loader
		}
		looked = append(looked, where)
	}
	if len(looked) == 0 {
		raiseError(l, "module '%s' not found", name)
	}
	raiseError(l, "module '%s' not found: no %s", name, strings.Join(looked, ", no "))
	return nil
}
