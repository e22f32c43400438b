package fennel

// comprehension splits the bindings of a comprehension into the table that it collects
// into, nil for a new one, and the bindings of its loop.
func (c *compiler) comprehension(l *List, least int) (into Node, loop *Sequence) {
	bindings, ok := c.item(l, 1).(*Sequence)
	if !ok || len(bindings.Items) < least {
		word := "iterator"
		if least > 2 {
			word = "range"
		}
		c.failHint(c.itemOr(l, 1), "write the names and what they run over in [ ]", "expected %s binding table", word)
	}
	items := bindings.Items
	for i := len(items) - 1; i >= 1; i-- {
		word, _ := items[i].(*String)
		if !isSym(items[i], "&into") && (word == nil || word.Value != "into") {
			continue
		}
		c.check(into == nil, items[i], "expected only one &into clause")
		c.check(i+1 < len(items), items[i], "expected table, function call, or symbol in &into clause")
		into = items[i+1]
		items = append(items[:i:i], items[i+2:]...)
	}
	switch into.(type) {
	case nil, *Symbol, *List, *Sequence, *Table:
	default:
		c.fail(into, "expected table, function call, or symbol in &into clause")
	}
	return into, &Sequence{bindings.Position, items}
}

// collectSequence returns icollect, over an iterator, or fcollect, over a range.
func collectSequence(how string, least int) builtin {
	return func(c *compiler, l *List, s *scope) Node {
		into, loop := c.comprehension(l, least)
		c.check(len(l.Items) > 2, l, "expected table value expression")
		if len(l.Items) > 3 {
			c.fail(l.Items[3], "expected exactly one body expression; wrap multiple expressions in do")
		}
		body := l.Items[2]
		out, value := c.gensym(l, "out"), c.gensym(l, "value")
		if into != nil {
			add := list(body, "_G.table.insert", out, value)
			return list(l, "let", sequence(l, out, into),
				list(l, how, loop, list(body, "let", sequence(body, value, body),
					list(body, "if", list(body, "not=", symbol(l, "nil"), value), add))),
				out)
		}
		n := c.gensym(l, "n")
		add := list(body, "do",
			list(body, "set", n, list(body, "+", n, number(body, 1))),
			list(body, "tset", out, n, value))
		return list(l, "let", sequence(l, out, sequence(l)),
			list(l, "var", n, number(l, 0)),
			list(l, how, loop, list(body, "let", sequence(body, value, body),
				list(body, "if", list(body, "not=", symbol(l, "nil"), value), add))),
			out)
	}
}

// macroCollect builds a table from keys and values.
func macroCollect(c *compiler, l *List, s *scope) Node {
	into, loop := c.comprehension(l, 2)
	c.check(len(l.Items) > 2, l, "expected key and value expression")
	if len(l.Items) > 4 {
		c.fail(l.Items[4], "expected 1 or 2 body expressions; wrap multiple expressions with do")
	}
	pair := l.Items[2]
	if len(l.Items) == 4 {
		pair = list(pair, "values", pair, l.Items[3])
	} else if _, ok := pair.(*List); !ok {
		c.fail(pair, "need key and value")
	}
	if into == nil {
		into = &Table{Position: l.Position}
	}
	out, key, value := c.gensym(l, "out"), c.gensym(l, "key"), c.gensym(l, "value")
	none := symbol(l, "nil")
	both := list(pair, "and", list(pair, "not=", key, none), list(pair, "not=", value, none))
	return list(l, "let", sequence(l, out, into),
		list(l, "each", loop,
			list(pair, "let", sequence(pair, &List{pair.Pos(), []Node{key, value}}, pair),
				list(pair, "if", both, list(pair, "tset", out, key, value)))),
		out)
}

// fold returns accumulate, over an iterator, or faccumulate, over a range.
func fold(how string) builtin {
	return func(c *compiler, l *List, s *scope) Node {
		bindings, ok := c.item(l, 1).(*Sequence)
		if !ok || len(bindings.Items) < 4 {
			c.fail(c.itemOr(l, 1), "expected initial value and iterator binding table")
		}
		c.check(len(l.Items) > 2, l, "expected body expression")
		if len(l.Items) > 3 {
			c.fail(l.Items[3], "expected exactly one body expression; wrap multiple expressions in do")
		}
		name, start, body := bindings.Items[0], bindings.Items[1], l.Items[2]
		last := name
		if names, ok := name.(*List); ok {
			last = list(l, "values", names.Items...)
		}
		return list(l, "do",
			list(l, "var", name, start),
			list(l, how, &Sequence{bindings.Position, bindings.Items[2:]}, list(body, "set", name, body)),
			last)
	}
}
