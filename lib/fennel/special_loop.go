package fennel

// iteration splits the bindings of a loop from the condition of its clause &until.
func (c *compiler) iteration(l *List) (bindings []Node, until Node, at Node) {
	seq, ok := c.item(l, 1).(*Sequence)
	c.checkHint(ok, c.itemOr(l, 1), "write the names and what they run over in [ ]", "expected binding table")
	bindings = seq.Items
	for i := len(bindings) - 2; i >= 2; i-- {
		name, ok := clauseName(bindings[i])
		if !ok {
			continue
		}
		c.check(name == "until" && until == nil, bindings[i], "unexpected iterator clause: %s", name)
		until = bindings[i+1]
		bindings = append(bindings[:i:i], bindings[i+2:]...)
	}
	return bindings, until, seq
}

// clauseName returns the word of a clause such as &until, or the old form :until.
func clauseName(n Node) (string, bool) {
	switch n := n.(type) {
	case *String:
		return n.Value, true
	case *Symbol:
		if len(n.Name) > 1 && n.Name[0] == '&' && !isMulti(n.Name) {
			return n.Name[1:], true
		}
	}
	return "", false
}

// loopBody compiles the &until condition of a loop and its forms.
func (c *compiler) loopBody(until Node, forms []Node, s *scope, b *block) {
	if until != nil {
		cond := c.one(until, s, b)
		b.add(&statIf{c.lineOf(until), []ifBranch{{cond, breakBlock()}}, nil})
	}
	c.effectsOf(forms, newScope(s), b)
}

func breakBlock() *block { return &block{[]luaStat{&statBreak{}}} }

// effectsOf compiles forms whose values are not used.
func (c *compiler) effectsOf(forms []Node, s *scope, b *block) {
	for _, n := range forms {
		c.guard(n, s, func() { c.effects(n, s, b) })
	}
}

func (c *compiler) needsBody(l *List) {
	c.check(len(l.Items) >= 3, l.Items[0], "expected body expression")
}

// specialEach compiles each to Lua's for with an iterator.
func specialEach(c *compiler, l *List, s *scope, b *block, w want) result {
	c.needsBody(l)
	bindings, until, at := c.iteration(l)
	c.check(len(bindings) > 0, at, "expected binding and iterator")
	names, from := bindings[:len(bindings)-1], bindings[len(bindings)-1]
	if len(names) == 1 {
		if list, ok := names[0].(*List); ok {
			names = list.Items
		}
	}
	c.check(len(names) > 0, at, "expected binding and iterator")
	loop := &statForIn{line: c.lineOf(l), body: &block{}}
	loop.exprs = c.compile(from, s, b, wantAll)
	inner := newScope(s)
	d := &binder{c: c, s: inner, b: loop.body}
	var patterns []Node
	var targets []luaExpr
	for _, n := range names {
		if _, several := n.(*List); several || isTable(n) || isNil(n) {
			name := &luaName{c.lineOf(n), c.temporary()}
			loop.names = append(loop.names, name.name)
			if !isNil(n) {
				patterns, targets = append(patterns, n), append(targets, name)
			}
			continue
		}
		name, ok := n.(*Symbol)
		c.check(ok, n, "unable to bind %s", describe(n))
		l := c.reserve(name, inner, false)
		d.pending = append(d.pending, pendingLocal{name, l})
		loop.names = append(loop.names, l.lua)
	}
	for i, p := range patterns {
		// The language accepts a single name in parentheses beside others.
		if l, ok := p.(*List); ok && len(l.Items) == 1 {
			p = l.Items[0]
		}
		d.value(p, targets[i])
	}
	d.finish()
	if len(loop.exprs) == 0 {
		loop.exprs = []luaExpr{luaNil}
	}
	c.loopBody(until, l.Items[2:], inner, loop.body)
	b.add(loop)
	return values(luaNil)
}

// specialFor compiles for to Lua's numeric for.
func specialFor(c *compiler, l *List, s *scope, b *block, w want) result {
	bindings, until, at := c.iteration(l)
	c.check(len(bindings) > 0, at, "expected range to include start and stop")
	name, ok := bindings[0].(*Symbol)
	c.check(ok, bindings[0], "unable to bind %s", describe(bindings[0]))
	c.needsBody(l)
	c.check(len(bindings) >= 3, at, "expected range to include start and stop")
	c.check(len(bindings) <= 4, at, "unexpected arguments in range")
	loop := &statFor{line: c.lineOf(l), body: &block{}}
	for _, n := range bindings[1:] {
		loop.bounds = append(loop.bounds, c.one(n, s, b))
	}
	inner := newScope(s)
	loop.name = c.declare(name, inner, false)
	c.loopBody(until, l.Items[2:], inner, loop.body)
	b.add(loop)
	return values(luaNil)
}

// specialWhile compiles while. A condition that needs statements is evaluated inside an
// endless loop.
func specialWhile(c *compiler, l *List, s *scope, b *block, w want) result {
	c.check(len(l.Items) > 1, l, "expected condition and body")
	setup := &block{}
	cond := c.one(l.Items[1], s, setup)
	loop := &statWhile{line: c.lineOf(l), cond: cond, body: setup}
	if len(setup.stats) > 0 {
		loop.cond = &luaLiteral{loop.line, "true"}
		not := &luaUnary{line(cond.lineOf()), "not ", cond}
		setup.add(&statIf{line(cond.lineOf()), []ifBranch{{not, breakBlock()}}, nil})
	}
	c.effectsOf(l.Items[2:], newScope(s), loop.body)
	b.add(loop)
	return values(luaNil)
}
