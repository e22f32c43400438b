package fennel

import "strconv"

// call compiles a list: a special form, a method or a function.
func (c *compiler) call(l *List, s *scope, b *block, w want) result {
	if len(l.Items) == 0 {
		c.failHint(l, "write () as [] for an empty table, or nil", "expected a function, macro, or special to call")
	}
	if head, ok := l.Items[0].(*Symbol); ok {
		if f := specials[head.Name]; f != nil {
			return f(c, l, s, b, w)
		}
		if fields, method := head.parts(); method {
			return values(c.methodCall(l, head, fields, s, b))
		}
	}
	return values(c.functionCall(l, s, b))
}

func (c *compiler) functionCall(l *List, s *scope, b *block) luaExpr {
	switch head := l.Items[0].(type) {
	case *Symbol:
		c.check(head.Name != "nil", l, "cannot call literal value nil")
	case *Number, *Bool, *Vararg, *Sequence, *Table:
		c.failHint(l, "a list calls its first form; write data as [ ] or { }", "cannot call literal value %s", show(head))
	}
	callee := c.one(l.Items[0], s, b)
	if literal, ok := callee.(*luaLiteral); ok && len(c.errs) == 0 {
		c.fail(l, "cannot call literal value %s", literal.text)
	}
	return &luaCall{c.lineOf(l), callee, packArgs(c.args(l.Items[1:], s, b))}
}

// packArgs packs arguments into a table that is unpacked in the call, if they are too many
// for Lua's registers.
func packArgs(args []luaExpr) []luaExpr {
	n := len(args)
	if n <= maxArgs || multi(args[n-1]) {
		return args
	}
	at := line(args[0].lineOf())
	packed := &luaTable{at, make([]luaExpr, n), args}
	unpack := &luaParen{at, &luaRaw{at, "_G.unpack or _G.table.unpack"}}
	bounds := []luaExpr{packed, &luaLiteral{at, "1"}, &luaLiteral{at, strconv.Itoa(n)}}
	return []luaExpr{&luaCall{at, unpack, bounds}}
}

// args compiles arguments: one value each, but all values of the last one.
func (c *compiler) args(forms []Node, s *scope, b *block) []luaExpr {
	var out []luaExpr
	for i, n := range forms {
		if i == len(forms)-1 {
			return append(out, c.compile(n, s, b, wantAll)...)
		}
		out = append(out, c.one(n, s, b))
	}
	return out
}

// methodCall compiles (a.b:c ...).
func (c *compiler) methodCall(l *List, head *Symbol, fields []string, s *scope, b *block) luaExpr {
	at := c.lineOf(head)
	last := len(fields) - 1
	object := c.fields(c.base(head, fields[0], s), fields[1:last], at)
	if isLuaName(fields[last]) {
		return &luaMethod{at, object, fields[last], c.args(l.Items[1:], s, b)}
	}
	args := c.args(l.Items[1:], s, b)
	if last > 1 {
		object = c.hold(object, b)
	}
	method := &luaIndex{at, object, &luaString{at, fields[last]}}
	return &luaCall{at, method, append([]luaExpr{object}, args...)}
}

func (c *compiler) sequence(n *Sequence, s *scope, b *block) luaExpr {
	t := &luaTable{line: c.lineOf(n), values: c.args(n.Items, s, b)}
	t.keys = make([]luaExpr, len(t.values))
	return t
}

func (c *compiler) table(n *Table, s *scope, b *block) luaExpr {
	t := &luaTable{line: c.lineOf(n)}
	for i, key := range n.Keys {
		t.keys = append(t.keys, c.one(key, s, b))
		t.values = append(t.values, c.one(n.Values[i], s, b))
	}
	return t
}
