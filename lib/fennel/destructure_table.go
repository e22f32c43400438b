package fennel

import (
	"strconv"
)

// pattern destructures a table. from can be evaluated any number of times.
func (d *binder) pattern(to Node, from luaExpr) {
	switch to := to.(type) {
	case *Sequence:
		d.sequencePattern(to, from)
	case *Table:
		d.tablePattern(to, from)
	}
}

// sequencePattern binds [a b & rest &as all].
func (d *binder) sequencePattern(to *Sequence, from luaExpr) {
	c := d.c
	for i := 0; i < len(to.Items); i++ {
		item := to.Items[i]
		switch {
		case isSym(item, "&"):
			c.check(i+1 < len(to.Items), item, "expected rest argument before last parameter")
			c.check(i+2 == len(to.Items) || isSym(to.Items[i+2], "&as"), item,
				"expected rest argument before last parameter")
			i++
			at := c.lineOf(to.Items[i])
			d.value(to.Items[i], c.helperCall(at, sequenceRest, from, &luaLiteral{at, strconv.Itoa(i)}))
		case isSym(item, "&as"):
			c.check(i+2 == len(to.Items), item, "expected &as argument before last parameter")
			i++
			d.whole(to.Items[i], from)
		case !isNil(item): // nil skips an item
			at := c.lineOf(item)
			d.value(item, &luaIndex{at, from, &luaLiteral{at, strconv.Itoa(i + 1)}})
		}
	}
}

// tablePattern binds {:k name : other & rest &as all}.
func (d *binder) tablePattern(to *Table, from luaExpr) {
	c := d.c
	exclude := &luaTable{line: c.lineOf(to)}
	for _, key := range to.Keys {
		if k, ok := key.(*String); ok {
			exclude.keys = append(exclude.keys, &luaString{0, k.Value})
			exclude.values = append(exclude.values, &luaLiteral{0, "true"})
		}
	}
	for i, key := range to.Keys {
		target := to.Values[i]
		at := c.lineOf(target)
		switch key := key.(type) {
		case *Symbol:
			switch key.Name {
			case "&":
				d.value(target, c.helperCall(at, tableRest, from, exclude))
				continue
			case "&as":
				d.whole(target, from)
				continue
			}
			c.failHint(key, "look it up in the body with .", "expected key to be a literal, not %s", show(key))
		case *List, *Sequence, *Table, *Vararg:
			c.fail(key, "expected key to be a literal, not %s", show(key))
		default:
			d.value(target, &luaIndex{at, from, c.one(key, d.s, d.b)})
		}
	}
}

// whole binds the table itself.
func (d *binder) whole(to Node, from luaExpr) {
	d.c.check(!isTable(to), to, "expected a name after &as, not %s", show(to))
	d.value(to, from)
}

// The helpers return the rest of a table that a pattern leaves over, as a new table. The
// metamethod __fennelrest of a table replaces them.
const (
	sequenceRest = `function(t, first) ` +
		`local meta = _G.getmetatable(t); ` +
		`if _G.type(meta) == "table" and meta.__fennelrest then return meta.__fennelrest(t, first) end; ` +
		`return {(_G.unpack or _G.table.unpack)(t, first)} end`
	tableRest = `function(t, named) ` +
		`local meta = _G.getmetatable(t); ` +
		`if _G.type(meta) == "table" and meta.__fennelrest then return meta.__fennelrest(t, nil, named) end; ` +
		`local rest = {}; for k, v in _G.pairs(t) do if not named[k] then rest[k] = v end end; ` +
		`return rest end`
)

// helperCall calls a function, which is given as Lua text and returns one value.
func (c *compiler) helperCall(at line, text string, args ...luaExpr) luaExpr {
	return &luaParen{at, &luaCall{at, &luaParen{at, &luaRaw{at, text}}, args}}
}
