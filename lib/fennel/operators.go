package fennel

import "slices"

// An operator of arithmetic.
type operator struct {
	lua   string // the operator in Lua
	none  string // the value without operands, "" if an operand is required
	unary string // the left operand for a single operand, "" for none, "=" if the operand is the value
}

func unary(op string) special {
	return func(c *compiler, l *List, s *scope, b *block, w want) result {
		c.check(len(l.Items) == 2, l, "expected one argument")
		return values(&luaUnary{c.lineOf(l), op, c.one(l.Items[1], s, b)})
	}
}

// operands returns the operands of an operator.
func (c *compiler) operands(l *List) []Node {
	forms := flatten(l.Items[1:])
	if len(forms) == 1 {
		if v, ok := forms[0].(*Vararg); ok {
			c.failHint(v, "how many operands there are has to be known; loop over them instead",
				"tried to use vararg with operator")
		}
	}
	return forms
}

// operation compiles arithmetic and concatenation.
func operation(op operator) special {
	return func(c *compiler, l *List, s *scope, b *block, w want) result {
		forms := c.operands(l)
		at := c.lineOf(l)
		if len(forms) == 0 {
			if op.lua == ".." {
				return values(&luaString{line: at})
			}
			c.check(op.none != "", l, "expected more than 0 arguments")
			return values(&luaLiteral{at, op.none})
		}
		var exprs []luaExpr
		for _, n := range forms {
			exprs = append(exprs, c.one(n, s, b))
		}
		if len(exprs) > 1 {
			if op.lua == ".." {
				exprs = nestConcat(at, exprs)
			}
			return values(&luaBinary{at, op.lua, exprs})
		}
		switch op.unary {
		case "=":
			return values(single(exprs[0]))
		case "":
			return values(&luaUnary{at, op.lua, exprs[0]})
		}
		return values(&luaBinary{at, op.lua, []luaExpr{&luaLiteral{at, op.unary}, exprs[0]}})
	}
}

// floorDivision compiles //, which Lua 5.1 lacks.
func floorDivision(c *compiler, l *List, s *scope, b *block, w want) result {
	forms := c.operands(l)
	at := c.lineOf(l)
	c.check(len(forms) > 0, l, "expected more than 0 arguments")
	if len(forms) == 1 {
		forms = append([]Node{number(l, 1)}, forms...)
	}
	e := c.one(forms[0], s, b)
	floor := c.fields(&luaName{at, "_G"}, []string{"math", "floor"}, at)
	for _, n := range forms[1:] {
		e = &luaCall{at, floor, []luaExpr{&luaBinary{at, "/", []luaExpr{e, c.one(n, s, b)}}}}
	}
	return values(&luaParen{at, e})
}

// noBits refuses the bit operators: Lua 5.1 has neither operators nor a library for them.
func noBits(none string) special {
	return func(c *compiler, l *List, s *scope, b *block, w want) result {
		if len(l.Items) > 1 || none == "" {
			c.failHint(l, "use arithmetic: * and // by a power of 2 shift, % masks", "Lua 5.1 has no operators on bits")
		}
		return values(&luaLiteral{c.lineOf(l), none})
	}
}

// nestConcat splits the operands of a long concatenation into groups.
func nestConcat(at line, exprs []luaExpr) []luaExpr {
	for len(exprs) > maxOperands {
		var groups []luaExpr
		for group := range slices.Chunk(exprs, maxOperands) {
			groups = append(groups, chain(at, "..", group))
		}
		exprs = groups
	}
	return exprs
}

// logic compiles and, or. The statements of an operand must not run before the operands to
// its left have decided that it is evaluated at all, so they go inside an if.
func logic(name, none string) special {
	return func(c *compiler, l *List, s *scope, b *block, w want) result {
		forms := c.logicOperands(l, name)
		at := c.lineOf(l)
		var exprs []luaExpr
		var held *luaName
		for i, n := range forms {
			setup := &block{}
			e := c.one(n, s, setup)
			if i == 0 || len(setup.stats) == 0 {
				b.stats = append(b.stats, setup.stats...)
				exprs = append(exprs, e)
				continue
			}
			if held == nil {
				held = c.hold(chain(at, name, exprs), b)
			} else if len(exprs) > 1 {
				b.add(&statAssign{at, []luaExpr{held}, []luaExpr{chain(at, name, exprs)}})
			}
			var cond luaExpr = held
			if name == "or" {
				cond = &luaUnary{at, "not ", held}
			}
			setup.add(&statAssign{c.lineOf(n), []luaExpr{held}, []luaExpr{e}})
			b.add(&statIf{c.lineOf(n), []ifBranch{{cond, setup}}, nil})
			exprs = []luaExpr{held}
		}
		if len(exprs) == 0 {
			return values(&luaLiteral{at, none})
		}
		return values(single(chain(at, name, exprs)))
	}
}

// logicOperands returns the operands of and, or. An operand that is the same form is
// replaced by its operands, which changes no value and saves Lua a level of syntax.
func (c *compiler) logicOperands(l *List, name string) []Node {
	var forms []Node
	for _, n := range c.operands(l) {
		if inner, ok := callOf(n, name); ok && len(inner.Items) > 1 {
			forms = append(forms, c.logicOperands(inner, name)...)
			continue
		}
		forms = append(forms, n)
	}
	return forms
}

// chain joins operands by an operator.
func chain(at line, op string, exprs []luaExpr) luaExpr {
	if len(exprs) == 1 {
		return exprs[0]
	}
	return &luaBinary{at, op, exprs}
}

// comparison compiles a chain of comparisons of neighbours. With more than two operands,
// the middle ones occur twice in the Lua code, so they are evaluated first unless they are
// repeatable. not= is true if any neighbours differ, so its chain is joined by or.
func comparison(op string) special {
	return func(c *compiler, l *List, s *scope, b *block, w want) result {
		c.check(len(l.Items) >= 3, l, "expected at least two arguments")
		at := c.lineOf(l)
		forms := l.Items[1:]
		var exprs []luaExpr
		hold := &statLocal{line: at}
		for i, n := range forms {
			e := c.one(n, s, b)
			if i > 0 && i < len(forms)-1 && !repeatable(n) {
				name := &luaName{line(e.lineOf()), c.temporary()}
				hold.names = append(hold.names, name.name)
				hold.values = append(hold.values, e)
				e = name
			}
			exprs = append(exprs, e)
		}
		if len(hold.names) > 0 {
			b.add(hold)
		}
		var pairs []luaExpr
		for i := range len(exprs) - 1 {
			pairs = append(pairs, &luaBinary{at, op, []luaExpr{exprs[i], exprs[i+1]}})
		}
		joint := "and"
		if op == "~=" {
			joint = "or"
		}
		return values(chain(at, joint, pairs))
	}
}

// repeatable reports whether a form may be evaluated more than once.
func repeatable(n Node) bool {
	switch n := n.(type) {
	case *Symbol:
		return !isMulti(n.Name)
	case *String, *Number, *Bool:
		return true
	}
	return false
}
