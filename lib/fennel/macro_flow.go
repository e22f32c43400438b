package fennel

// macroWhen expands when: an if whose body is many forms, without else.
func macroWhen(c *compiler, l *List, s *scope) Node {
	c.checkHint(len(l.Items) >= 3, l, "write (when condition body)", "expected body")
	return list(l, "if", l.Items[1], list(l, "do", l.Items[2:]...))
}

// thread inserts each form into the next one: at index 1, as its first argument, or with
// index -1, as its last.
func thread(index int) builtin {
	return func(c *compiler, l *List, s *scope) Node {
		if len(l.Items) < 2 {
			return symbol(l, "nil")
		}
		value := l.Items[1]
		for _, step := range l.Items[2:] {
			value = spliced(step, value, index)
		}
		return value
	}
}

// threadMaybe is like thread, but stops with nil at the first nil. Each value in between is
// bound to a name, so that it is evaluated once; the last step keeps all its values.
func threadMaybe(name string, index int) builtin {
	return func(c *compiler, l *List, s *scope) Node {
		if len(l.Items) < 2 {
			return symbol(l, "nil")
		}
		value := l.Items[1]
		if len(l.Items) == 2 {
			return value
		}
		rest := func(value Node) Node {
			step := spliced(l.Items[2], value, index)
			further := list(l, name, append([]Node{step}, l.Items[3:]...)...)
			return list(l, "if", list(l, "not=", symbol(l, "nil"), value), further)
		}
		if repeatable(value) {
			return rest(value)
		}
		held := c.gensym(l, "value")
		return list(l, "let", sequence(l, held, value), rest(held))
	}
}

// macroMaybeDot looks up nested keys until it finds nil. Keys after that are not evaluated.
func macroMaybeDot(c *compiler, l *List, s *scope) Node {
	c.check(len(l.Items) >= 2, l, "expected table argument")
	t := c.gensym(l, "t")
	forms := []Node{list(l, "var", t, l.Items[1])}
	for _, key := range l.Items[2:] {
		forms = append(forms, list(key, "if", list(key, "not=", symbol(l, "nil"), t),
			list(key, "set", t, list(key, ".", t, key))))
	}
	return list(l, "do", append(forms, t)...)
}

// macroDoto passes one value to many forms and returns it.
func macroDoto(c *compiler, l *List, s *scope) Node {
	c.check(len(l.Items) >= 2, l, "missing subject")
	value := l.Items[1]
	if !repeatable(value) {
		held := c.gensym(l, "it")
		return list(l, "let", sequence(l, held, value), list(l, "doto", append([]Node{held}, l.Items[2:]...)...))
	}
	var forms []Node
	for _, step := range l.Items[2:] {
		forms = append(forms, spliced(step, value, 1))
	}
	return list(l, "do", append(forms, value)...)
}

// macroWithOpen runs its body and then closes the values that it bound, the last first,
// whether the body returns or raises an error.
func macroWithOpen(c *compiler, l *List, s *scope) Node {
	bindings, ok := c.item(l, 1).(*Sequence)
	c.check(ok, c.itemOr(l, 1), "expected binding sequence")
	passed, closer := c.gensym(l, "ok"), c.gensym(l, "close")
	dots := &Vararg{l.Position}
	closing := []Node{closer, sequence(l, passed, dots)}
	for i := len(bindings.Items)/2*2 - 2; i >= 0; i -= 2 {
		name, ok := bindings.Items[i].(*Symbol)
		c.check(ok, bindings.Items[i], "with-open only allows symbols in bindings")
		closing = append(closing, list(l, ":", name, text(l, "close")))
	}
	closing = append(closing, list(l, "if", passed, dots, list(l, "_G.error", dots, number(l, 0))))
	params, args := sequence(l), []Node(nil)
	if s.fn.vararg {
		params, args = sequence(l, dots), []Node{dots} // the body may use the "..." of the function around it
	}
	body := list(l, "fn", append([]Node{params}, l.Items[2:]...)...)
	run := &List{l.Position, []Node{closer, list(l, "_G.pcall", append([]Node{body}, args...)...)}}
	return list(l, "let", bindings, list(l, "fn", closing...), run)
}
