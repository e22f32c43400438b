package fennel

// matchTry expands case-try and match-try, a chain of matches. Each step passes its values
// to the next pattern. The first values that do not match are the result, or are matched
// by the clauses of catch.
func matchTry(how string) builtin {
	return func(c *compiler, l *List, s *scope) Node {
		c.check(len(l.Items) > 1, l, "missing subject")
		if len(l.Items) == 2 {
			return l.Items[1]
		}
		clauses := l.Items[2:]
		dots := &Vararg{l.Position}
		otherwise := []Node{c.gensym(l, "_failed"), dots}
		if catch, ok := callOf(clauses[len(clauses)-1], "catch"); ok {
			clauses = clauses[:len(clauses)-1]
			otherwise = catch.Items[1:]
			c.check(len(otherwise)%2 == 0, catch, "expected every catch pattern to have a body")
		}
		c.check(len(clauses)%2 == 0, l, "expected every pattern to have a body")
		return tryStep(l, how, l.Items[1], clauses, otherwise)
	}
}

// tryStep matches the values of one step inside a function, as its "...", because their
// number is not known.
func tryStep(l *List, how string, value Node, clauses, otherwise []Node) Node {
	if len(clauses) == 0 {
		return value
	}
	dots := &Vararg{l.Position}
	next := tryStep(l, how, clauses[1], clauses[2:], otherwise)
	match := list(l, how, append([]Node{dots, clauses[0], next}, otherwise...)...)
	return &List{l.Position, []Node{list(l, "fn", sequence(l, dots), match), value}}
}
