package fennel

import "strings"

// specialDot looks up nested keys.
func specialDot(c *compiler, l *List, s *scope, b *block, w want) result {
	c.check(len(l.Items) > 1, l, "expected table argument")
	e := c.one(l.Items[1], s, b)
	if len(l.Items) == 2 {
		return values(single(e))
	}
	for _, key := range l.Items[2:] {
		e = &luaIndex{c.lineOf(key), e, c.one(key, s, b)}
	}
	return values(e)
}

// specialMethod calls (: object name args ...). If the name is only known at run time, the
// object occurs twice in the Lua code, so it is first put into a local unless it is a name.
func specialMethod(c *compiler, l *List, s *scope, b *block, w want) result {
	c.check(len(l.Items) > 2, l, "expected at least 2 arguments")
	at := c.lineOf(l)
	object := c.one(l.Items[1], s, b)
	args := c.args(l.Items[3:], s, b)
	if name, ok := l.Items[2].(*String); ok && isLuaName(name.Value) {
		return values(&luaMethod{at, object, name.Value, args})
	}
	name := c.one(l.Items[2], s, b)
	if _, ok := object.(*luaName); !ok {
		object = c.hold(object, b)
	}
	return values(&luaCall{at, &luaIndex{at, object, name}, append([]luaExpr{object}, args...)})
}

// specialLua copies Lua text to the output: a statement, an expression or both. Text that
// is empty, or only a comment, is no statement and has no value.
func specialLua(c *compiler, l *List, s *scope, b *block, w want) result {
	if len(l.Items) != 2 && len(l.Items) != 3 {
		c.failHint(l, "write (lua \"statement\" \"expression\"), either of them nil", "expected 1 or 2 arguments")
	}
	at := c.lineOf(l)
	text := func(n Node) (string, bool) {
		if isNil(n) {
			return "", false
		}
		lua, ok := n.(*String)
		c.check(ok, n, "expected a string of Lua, not %s", show(n))
		return luaOnOneLine(lua.Value), true
	}
	if lua, ok := text(l.Items[1]); ok && lua != "" {
		b.add(&statRaw{luaRaw{at, lua}})
	}
	if len(l.Items) < 3 {
		return values(luaNil)
	}
	switch lua, ok := text(l.Items[2]); {
	case !ok:
		return values(luaNil)
	case lua == "":
		return result{}
	default:
		return values(&luaRaw{at, lua})
	}
}

// specialComment puts a comment in the output.
func specialComment(c *compiler, l *List, s *scope, b *block, w want) result {
	var words []string
	for _, n := range l.Items[1:] {
		words = append(words, format(n))
	}
	text := strings.ReplaceAll(strings.Join(words, " "), "]]", "] ]")
	b.add(&statComment{c.lineOf(l), text})
	return values(luaNil)
}
