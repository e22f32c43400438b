package fennel

import (
	"cmp"
	"slices"

	lua "github.com/yuin/gopher-lua"
)

// Macros see forms as the tables that the language's reference describes. A list and a
// symbol have their own metatables, the metatable of a sequence has a mark, and the
// metatable of a table has its keys in order. The position of a form is stored in positions,
// and in the fields line, col and filename.

// maxNodes bounds how many forms are passed to macros and back. It stops a macro that
// doubles its argument before maxExpansions would.
const maxNodes = 5_000_000

func (t *compileTime) count() {
	t.c.step()
	if t.nodeCount++; t.nodeCount > maxNodes {
		t.c.fail(&List{Position: t.c.at}, "the macros of this file make too much code: more than %d forms", maxNodes)
	}
}

// toLua converts a form to a Lua value.
func (t *compileTime) toLua(n Node) lua.LValue {
	t.count()
	switch n := n.(type) {
	case *String:
		return lua.LString(n.Value)
	case *Number:
		return lua.LNumber(n.Value)
	case *Bool:
		return lua.LBool(n.Value)
	case *Vararg:
		return t.varargNode
	case *Symbol:
		return t.symbol(n.Name, n.quoted, n.Position)
	case *List:
		out := t.items(n.Items)
		t.setPosition(out, out, n.Position)
		out.Metatable = t.listMeta
		return out
	case *Sequence:
		out := t.items(n.Items)
		meta := t.newSequenceMeta()
		t.setPosition(out, meta, n.Position)
		out.Metatable = meta
		return out
	case *Table:
		var keys, values []lua.LValue
		for i, k := range n.Keys {
			keys = append(keys, t.toLua(k))
			values = append(values, t.toLua(n.Values[i]))
		}
		out := t.table(keys, values)
		t.setPosition(out, out.Metatable.(*lua.LTable), n.Position)
		return out
	}
	return lua.LNil
}

func (t *compileTime) items(items []Node) *lua.LTable {
	out := &lua.LTable{Metatable: lua.LNil}
	for i, item := range items {
		out.RawSetInt(i+1, t.toLua(item))
	}
	return out
}

// setPosition stores the position of a form, in positions and, for macros to read, in fields.
func (t *compileTime) setPosition(form, fields *lua.LTable, p Position) {
	if p.Line == 0 {
		return
	}
	t.positions[form] = p
	fields.RawSetString("filename", lua.LString(p.File()))
	fields.RawSetString("line", lua.LNumber(p.Line))
	fields.RawSetString("col", lua.LNumber(p.Column-1))
}

func (t *compileTime) symbol(name string, quoted bool, p Position) *lua.LTable {
	out := &lua.LTable{Metatable: t.symMeta}
	out.RawSetInt(1, lua.LString(name))
	if quoted {
		out.RawSetString("quoted", lua.LTrue)
	}
	t.setPosition(out, out, p)
	return out
}

func (t *compileTime) newSequenceMeta() *lua.LTable {
	meta := &lua.LTable{Metatable: lua.LNil}
	meta.RawSetString("sequence", t.sequenceMark)
	return meta
}

// table makes a table whose metatable has the order of its keys.
func (t *compileTime) table(keys, values []lua.LValue) *lua.LTable {
	out := &lua.LTable{Metatable: lua.LNil}
	order := &lua.LTable{Metatable: lua.LNil}
	for i, k := range keys {
		if k == lua.LNil {
			continue
		}
		if out.RawGet(k) == lua.LNil {
			order.Append(k)
		}
		out.RawSet(k, values[i])
	}
	meta := &lua.LTable{Metatable: lua.LNil}
	meta.RawSetString("keys", order)
	out.Metatable = meta
	return out
}

// fromLua converts the result of a macro, called by the form at, to a form. A node that the
// macro made has the position of the call.
func (t *compileTime) fromLua(v lua.LValue, at *List) Node {
	return t.node(v, at, 0)
}

func (t *compileTime) node(v lua.LValue, at *List, depth int) Node {
	t.count()
	if depth > maxDepth {
		t.c.fail(at, "the form this macro returns is nested too deeply: more than %d levels", maxDepth)
	}
	p := at.Position
	switch v := v.(type) {
	case *lua.LNilType:
		return &Symbol{Position: p, Name: "nil"}
	case lua.LBool:
		return &Bool{p, bool(v)}
	case lua.LNumber:
		return &Number{p, float64(v)}
	case lua.LString:
		return &String{p, string(v)}
	case *lua.LTable:
		if own, ok := t.positions[v]; ok {
			p = own
		}
		return t.tableNode(v, p, at, depth+1)
	}
	t.c.fail(at, "could not compile value of type %s, which this macro returned", v.Type())
	return nil
}

func (t *compileTime) tableNode(v *lua.LTable, p Position, at *List, depth int) Node {
	switch v.Metatable {
	case t.symMeta:
		return &Symbol{Position: p, Name: lua.LVAsString(v.RawGetInt(1)), quoted: v.RawGetString("quoted") == lua.LTrue}
	case t.varargMeta:
		return &Vararg{p}
	case t.listMeta:
		return &List{p, t.nodes(v, highest(v), at, depth)}
	case t.commentMeta:
		return list(&Symbol{Position: p}, "comment", text(at, lua.LVAsString(v.RawGetInt(1))))
	}
	count := highest(v)
	keys := t.keys(v)
	if t.isSequence(v) || count == len(keys) && !t.ordered(v) || len(keys) == 0 {
		return &Sequence{p, t.nodes(v, count, at, depth)}
	}
	out := &Table{Position: p}
	for _, k := range keys {
		out.Keys = append(out.Keys, t.node(k, at, depth))
		out.Values = append(out.Values, t.node(v.RawGet(k), at, depth))
	}
	return out
}

func (t *compileTime) nodes(v *lua.LTable, count int, at *List, depth int) []Node {
	var out []Node
	for i := 1; i <= count; i++ {
		out = append(out, t.node(v.RawGetInt(i), at, depth))
	}
	return out
}

// highest returns the highest index of a table, which may have holes.
func highest(v *lua.LTable) int {
	n := 0
	v.ForEach(func(k, _ lua.LValue) {
		if i, ok := k.(lua.LNumber); ok && i == lua.LNumber(int(i)) {
			n = max(n, int(i))
		}
	})
	const most = 1 << 20 // a single huge index would make a list of that many nils
	return min(n, most)
}

func (t *compileTime) isSequence(v *lua.LTable) bool {
	meta, ok := v.Metatable.(*lua.LTable)
	return ok && meta.RawGetString("sequence") == t.sequenceMark
}

// ordered reports whether the metatable of v has the order of its keys.
func (t *compileTime) ordered(v *lua.LTable) bool {
	meta, ok := v.Metatable.(*lua.LTable)
	return ok && meta.RawGetString("keys") != lua.LNil
}

// keys returns the keys of a table in a stable order: first the keys whose order in the
// source is known, then numbers, then other keys by their text.
func (t *compileTime) keys(v *lua.LTable) []lua.LValue {
	var out []lua.LValue
	known := map[lua.LValue]bool{}
	add := func(k lua.LValue) {
		if !known[k] && v.RawGet(k) != lua.LNil {
			known[k] = true
			out = append(out, k)
		}
	}
	if meta, ok := v.Metatable.(*lua.LTable); ok {
		if order, ok := meta.RawGetString("keys").(*lua.LTable); ok {
			order.ForEach(func(_, k lua.LValue) { add(k) })
		}
	}
	var rest []lua.LValue
	v.ForEach(func(k, _ lua.LValue) { rest = append(rest, k) })
	slices.SortStableFunc(rest, compareKeys)
	for _, k := range rest {
		add(k)
	}
	return out
}

// compareKeys orders keys: numbers by value, then everything else by its text.
func compareKeys(a, b lua.LValue) int {
	x, xNumber := a.(lua.LNumber)
	y, yNumber := b.(lua.LNumber)
	switch {
	case xNumber && yNumber:
		return cmp.Compare(x, y)
	case xNumber:
		return -1
	case yNumber:
		return 1
	}
	return cmp.Compare(keyText(a), keyText(b))
}

func keyText(v lua.LValue) string {
	if t, ok := v.(*lua.LTable); ok {
		return lua.LVAsString(t.RawGetInt(1)) // a symbol
	}
	return v.String()
}
