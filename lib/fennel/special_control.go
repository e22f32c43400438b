package fennel

func specialDo(c *compiler, l *List, s *scope, b *block, w want) result {
	if len(l.Items) == 1 {
		return result{}
	}
	return c.scoped(l, s, b, w, nil, l.Items[1:])
}

// scoped compiles forms in a new scope, after begin, which may be nil, has compiled what
// comes first. If the values of the last form are returned or assigned, statements are
// enough. One value is put in a local. Any number of values requires a function that
// is called at once.
func (c *compiler) scoped(l Node, s *scope, b *block, w want, begin func(*scope, *block), forms []Node) result {
	at := c.lineOf(l)
	run := func(s *scope, b *block, w want) []luaExpr {
		if begin != nil {
			begin(s, b)
		}
		return c.body(forms, s, b, w)
	}
	inner := newScope(s)
	own := &block{}
	switch {
	case w.tail:
		run(inner, b, w)
		return finished
	case w.handsOver() || w.values == 0:
		c.addEffects(run(inner, own, w), own)
		b.splice(own, int(at))
		return finished
	case w.values == 1:
		e := run(inner, own, wantOne)[0]
		if len(own.stats) == 0 {
			if isConstant(e) {
				return values(e)
			}
			return values(c.hold(e, b))
		}
		name := c.temp(b, at)
		own.add(&statAssign{line(e.lineOf()), []luaExpr{name}, []luaExpr{e}})
		b.splice(own, int(at))
		return values(name)
	}
	return c.calledFunction(s, at, func(b *block, w want) { run(inner, b, w) })
}

// calledFunction returns an expression with any number of values: a function that contains
// body and is called at once. If body uses "...", the arguments of the function around it
// are passed on. A body that is just a return needs no function.
func (c *compiler) calledFunction(s *scope, at line, body func(*block, want)) result {
	before := s.fn.uses
	f := &luaFunction{line: at, body: &block{}}
	body(f.body, wantTail)
	if len(f.body.stats) == 1 {
		if r, ok := f.body.stats[0].(*statReturn); ok {
			return result{exprs: r.values}
		}
	}
	call := &luaCall{at, f, nil}
	if s.fn.uses > before {
		f.vararg = true
		call.args = []luaExpr{&luaVararg{at}}
	}
	return values(call)
}

func specialIf(c *compiler, l *List, s *scope, b *block, w want) result {
	c.checkHint(len(l.Items) >= 3, l, "write (if condition then else)", "expected condition and body")
	forms := l.Items[1:]
	if n := len(forms); n%2 == 0 {
		if t, ok := forms[n-2].(*Bool); ok && t.Value {
			forms = append(forms[:n-2:n-2], forms[n-1])
		}
	}
	if len(forms) == 1 {
		return c.scoped(l, s, b, w, nil, forms)
	}
	at := c.lineOf(l)
	switch {
	case w.handsOver() || w.values == 0:
		c.ifStatement(at, forms, s, b, w)
		return finished
	case w.values == 1:
		name := c.temp(b, at)
		c.ifStatement(at, forms, s, b, want{values: 1, targets: []luaExpr{name}})
		return values(name)
	}
	return c.calledFunction(s, at, func(b *block, w want) { c.ifStatement(at, forms, s, b, w) })
}

// ifStatement emits an if whose branches are compiled as w wants. The statements of a
// condition must not run before the conditions above it have failed, so it begins a nested
// if.
func (c *compiler) ifStatement(at line, forms []Node, s *scope, b *block, w want) {
	s = newScope(s)
	branch := func(n Node) *block {
		inner := &block{}
		c.guard(n, s, func() { c.addEffects(c.compile(n, newScope(s), inner, w), inner) })
		return inner
	}
	var current *statIf
	for len(forms) > 1 {
		setup := &block{}
		var cond luaExpr = luaNil
		c.guard(forms[0], s, func() { cond = c.one(forms[0], s, setup) })
		if current == nil || len(setup.stats) > 0 {
			if current != nil {
				current.orElse = &block{}
				b = current.orElse
			}
			current = &statIf{line: at}
			b.stats = append(b.stats, setup.stats...)
			b.add(current)
		}
		current.branches = append(current.branches, ifBranch{cond, branch(forms[1])})
		forms = forms[2:]
	}
	if len(forms) == 1 {
		current.orElse = branch(forms[0])
		return
	}
	otherwise := &block{}
	c.deliver([]luaExpr{luaNil}, otherwise, w, 0)
	if len(otherwise.stats) > 0 {
		current.orElse = otherwise
	}
}

func specialValues(c *compiler, l *List, s *scope, b *block, w want) result {
	return result{exprs: c.args(flatten(l.Items[1:]), s, b)}
}

// flatten replaces a (values ...) at the end of a list of forms by the forms in it.
func flatten(forms []Node) []Node {
	for len(forms) > 0 {
		inner, ok := callOf(forms[len(forms)-1], "values")
		if !ok {
			break
		}
		forms = append(forms[:len(forms)-1:len(forms)-1], inner.Items[1:]...)
	}
	return forms
}

// specialPickValues returns exactly as many values as its first argument says.
func specialPickValues(c *compiler, l *List, s *scope, b *block, w want) result {
	n, ok := c.item(l, 1).(*Number)
	if !ok || n.Value < 0 || n.Value != float64(int(n.Value)) {
		c.fail(c.itemOr(l, 1), "expected a literal integer, 0 or more, as the number of values")
	}
	const most = 100
	c.check(n.Value <= most, n, "too many values: at most %d", most)
	count := int(n.Value)
	exprs := c.args(flatten(l.Items[2:]), s, b)
	if len(exprs) == count && (count == 0 || !multi(exprs[count-1])) {
		return result{exprs: exprs}
	}
	if count == 0 {
		c.addEffects(exprs, b)
		return result{}
	}
	if count == 1 && len(exprs) > 0 {
		c.addEffects(exprs[1:], b) // before the first, as in the reference compiler
		return values(single(exprs[0]))
	}
	if len(exprs) == 0 {
		exprs = []luaExpr{luaNil}
	}
	return result{exprs: c.holdAll(exprs, count, b, c.lineOf(l))}
}

// specialTail checks that its call is in tail position.
func specialTail(c *compiler, l *List, s *scope, b *block, w want) result {
	c.check(len(l.Items) == 2, l, "expected one argument")
	call, ok := c.expand(l.Items[1], s).(*List)
	c.check(ok && len(call.Items) > 0, l, "expected a function call as argument")
	if head, ok := call.Items[0].(*Symbol); ok {
		c.check(specials[head.Name] == nil || head.Name == ":", l, "expected a function call as argument")
	}
	c.check(w.tail, l, "must be in tail position")
	c.compile(call, s, b, w)
	return finished
}
