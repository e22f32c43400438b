package fennel

// assign gives exprs to the targets of w.
//
// gopher-lua compiles a parallel assignment to locals as if its parts came one
// after the other: a, b = b, a gives b twice (its issue 440), and a function
// called for b finds a changed already. So where a value may read a local that
// is assigned too, all values are put in temporaries first.
func (c *compiler) assign(w want, exprs []luaExpr, b *block, at line) {
	targets := w.targets
	if len(exprs) == 0 {
		exprs = []luaExpr{luaNil}
	}
	if len(targets) > 1 && !w.fresh && clashes(targets, exprs) {
		exprs = c.holdAll(exprs, len(targets), b, at)
		// From the last to the first, as Lua does it: of a target that stands
		// twice, the first counts.
		for i := len(targets) - 1; i >= 0; i-- {
			b.add(&statAssign{at, targets[i : i+1], exprs[i : i+1]})
		}
		return
	}
	b.add(&statAssign{at, targets, exprs})
}

// holdAll puts n values in fresh locals with one statement.
func (c *compiler) holdAll(exprs []luaExpr, n int, b *block, at line) []luaExpr {
	s := &statLocal{line: at, values: exprs}
	var held []luaExpr
	for range n {
		name := c.temporary()
		s.names = append(s.names, name)
		held = append(held, &luaName{at, name})
	}
	b.add(s)
	return held
}

// clashes reports whether assigning to targets one by one could change what
// one of the exprs, or the place of another target, means.
func clashes(targets, exprs []luaExpr) bool {
	assigned := map[string]bool{}
	for _, t := range targets {
		if n, ok := t.(*luaName); ok {
			assigned[n.name] = true
		}
	}
	if len(assigned) == 0 {
		return false
	}
	if len(exprs) > 1 {
		for _, e := range exprs {
			if reads(e, assigned) {
				return true
			}
		}
	}
	for _, t := range targets {
		if _, ok := t.(*luaName); !ok && reads(t, assigned) {
			return true
		}
	}
	return false
}

// reads reports whether evaluating e may read one of the names. A call may read
// any of them, as a variable its function has captured.
func reads(e luaExpr, names map[string]bool) bool {
	some := func(list ...luaExpr) bool {
		for _, e := range list {
			if e != nil && reads(e, names) {
				return true
			}
		}
		return false
	}
	switch e := e.(type) {
	case *luaName:
		return names[e.name]
	case *luaRaw, *luaCall, *luaMethod:
		return true
	case *luaIndex:
		return some(e.object, e.key)
	case *luaBinary:
		return some(e.operands...)
	case *luaUnary:
		return some(e.operand)
	case *luaTable:
		return some(e.keys...) || some(e.values...)
	case *luaParen:
		return some(e.inner)
	}
	return false
}
