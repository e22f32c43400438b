package executor

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	lua "github.com/yuin/gopher-lua"
)

// A value is data that jobs pass on and events.jsonl records: a string, float64, bool,
// []value, object, or nil.
type value = any

// An object is a table that is not a sequence. A key is a string, float64 or bool.
type object []entry

type entry struct {
	key   any
	value value
}

// Limits on the output of a run-fn, far above any practical need. They stop the copying of
// a table that holds the same table many times over.
const (
	maxDataDepth = 100
	maxDataNodes = 1 << 20
)

// toData returns a copy of v. If v is or contains something that is not data, the error says
// what and where. The caller holds the Lua lock.
func toData(v lua.LValue) (value, error) {
	c := copier{open: map[*lua.LTable]bool{}}
	out, err := c.copy(v)
	if err != nil {
		where := ""
		if len(c.path) > 0 {
			where = " at '" + strings.Join(c.path, "") + "'"
		}
		return nil, fmt.Errorf("%w%s", err, where)
	}
	return out, nil
}

type copier struct {
	open  map[*lua.LTable]bool // the tables around the current value
	path  []string
	nodes int
}

func (c *copier) copy(v lua.LValue) (value, error) {
	if c.nodes++; c.nodes > maxDataNodes {
		return nil, errors.New("is too large")
	}
	switch v := v.(type) {
	case *lua.LNilType:
		return nil, nil
	case lua.LBool:
		return bool(v), nil
	case lua.LString:
		return string(v), nil
	case lua.LNumber:
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, errors.New("holds a number that is not finite")
		}
		return float64(v), nil
	case *lua.LTable:
		return c.table(v)
	}
	return nil, fmt.Errorf("holds a %s", v.Type())
}

func (c *copier) table(t *lua.LTable) (value, error) {
	switch {
	case c.open[t]:
		return nil, errors.New("holds a table that contains itself")
	case len(c.open) >= maxDataDepth:
		return nil, errors.New("is nested too deep")
	}
	c.open[t] = true
	defer delete(c.open, t)

	var entries object
	for key, v := t.Next(lua.LNil); key != lua.LNil; key, v = t.Next(key) {
		e, err := c.entry(key, v)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	if code, ok := exitOf(t); ok {
		entries = append(entries, entry{"exit", float64(code)})
	}
	slices.SortFunc(entries, compareKeys)
	if len(entries) == 0 && t.Metatable == emptyObject() {
		return object{}, nil
	}
	list := entries.sequence()
	if _, ok := list.(object); ok {
		return list, entries.checkKeys()
	}
	return list, nil
}

// checkKeys returns an error if two keys are the same text in JSON.
func (o object) checkKeys() error {
	seen := map[string]bool{}
	for _, e := range o {
		text := keyText(e.key)
		if seen[text] {
			return fmt.Errorf("has two keys that are %q in JSON", text)
		}
		seen[text] = true
	}
	return nil
}

// entry copies one entry of a table. On an error, path stays as it is for the message.
func (c *copier) entry(key, v lua.LValue) (entry, error) {
	var k any
	switch key := key.(type) {
	case lua.LString:
		k = string(key)
		c.path = append(c.path, "."+string(key))
	case lua.LNumber:
		k = float64(key)
		c.path = append(c.path, "["+key.String()+"]")
	case lua.LBool:
		k = bool(key)
		c.path = append(c.path, "["+key.String()+"]")
	default:
		return entry{}, fmt.Errorf("has a %s as a key", key.Type())
	}
	out, err := c.copy(v)
	if err == nil {
		c.path = c.path[:len(c.path)-1]
	}
	return entry{k, out}, err
}

// compareKeys puts numbers first, by value, then all other keys, by text.
func compareKeys(a, b entry) int {
	x, xn := a.key.(float64)
	y, yn := b.key.(float64)
	switch {
	case xn && yn:
		return cmp.Compare(x, y)
	case xn:
		return -1
	case yn:
		return 1
	}
	return cmp.Compare(keyText(a.key), keyText(b.key))
}

func keyText(key any) string {
	if n, ok := key.(float64); ok {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return fmt.Sprint(key)
}

// sequence returns o as a list if its sorted keys are 1 to n, otherwise o itself.
func (o object) sequence() value {
	list := make([]value, len(o))
	for i, e := range o {
		if e.key != float64(i+1) {
			return o
		}
		list[i] = e.value
	}
	return list
}

// emptyObject is the metatable of empty tables that were objects in JSON. Without it they
// would be written as empty arrays. Its field __metatable protects it.
var emptyObject = sync.OnceValue(func() lua.LValue {
	t := &lua.LTable{Metatable: lua.LNil}
	t.RawSetString("__metatable", lua.LString("object"))
	return t
})

// toLua returns v as a Lua value, in new tables.
func toLua(v value) lua.LValue {
	t := &lua.LTable{Metatable: lua.LNil}
	switch v := v.(type) {
	case string:
		return lua.LString(v)
	case float64:
		return lua.LNumber(v)
	case bool:
		return lua.LBool(v)
	case []value:
		for i, item := range v {
			t.RawSetInt(i+1, toLua(item))
		}
	case object:
		if len(v) == 0 {
			t.Metatable = emptyObject()
		}
		for _, e := range v {
			t.RawSet(toLua(e.key), toLua(e.value))
		}
	default:
		return lua.LNil
	}
	return t
}
