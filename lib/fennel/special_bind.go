package fennel

// binding returns the compiler of a form that takes a pattern and a value.
func binding(name string, mode bindMode) special {
	return func(c *compiler, l *List, s *scope, b *block, w want) result {
		if mode.declares() {
			c.check(w.tail || w.values == 0 && w.targets == nil, l, "can't introduce %s here", name)
		}
		c.checkHint(len(l.Items) == 3, l, "write ("+name+" name value)", "expected name and value")
		c.bindForm(l.Items[1], l.Items[2], mode, s, b)
		return values(luaNil)
	}
}

// specialLet binds names in order, in a new scope.
func specialLet(c *compiler, l *List, s *scope, b *block, w want) result {
	bindings, ok := c.item(l, 1).(*Sequence)
	c.checkHint(ok, c.itemOr(l, 1), "write (let [name value] body)", "expected binding sequence")
	if len(bindings.Items)%2 != 0 {
		c.report(bindings, "every name needs a value", "expected even number of name/value bindings")
	}
	c.checkHint(len(l.Items) >= 3, l.Items[0], "give let something to do after its bindings", "expected body expression")
	return c.scoped(l, s, b, w, func(s *scope, b *block) {
		for i := 0; i+1 < len(bindings.Items); i += 2 {
			name, value := bindings.Items[i], bindings.Items[i+1]
			if !c.guard(value, s, func() { c.bindForm(name, value, declareLocal, s, b) }) {
				forgiveSymbols(s, name)
			}
		}
	}, l.Items[2:])
}

// specialTset assigns to a field: (tset t k1 ... kn value).
func specialTset(c *compiler, l *List, s *scope, b *block, w want) result {
	c.checkHint(len(l.Items) >= 4, l, "write (tset table key value)", "expected table, key, and value arguments")
	switch l.Items[1].(type) {
	case *Bool, *Number:
		c.fail(l.Items[1], "cannot set field of literal value")
	}
	last := len(l.Items) - 1
	target := c.one(l.Items[1], s, b)
	for _, key := range l.Items[2:last] {
		target = &luaIndex{c.lineOf(key), target, c.one(key, s, b)}
	}
	value := c.one(l.Items[last], s, b)
	b.add(&statAssign{c.lineOf(l), []luaExpr{target}, []luaExpr{value}})
	return values(luaNil)
}

// item returns the i-th item of a form, or nil.
func (c *compiler) item(l *List, i int) Node {
	if i < len(l.Items) {
		return l.Items[i]
	}
	return nil
}

// itemOr returns the i-th item of a form, or the form itself, as the position of an error.
func (c *compiler) itemOr(l *List, i int) Node {
	if i < len(l.Items) {
		return l.Items[i]
	}
	return l
}
