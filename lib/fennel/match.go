package fennel

import "strings"

// A matcher turns the clauses of one case or match into an if.
type matcher struct {
	c *compiler
	s *scope

	// unify is true for match: a name that is already a local is compared with its value.
	// In case, it is a new name.
	unify bool
}

// A clause is a compiled pattern: its conditions, and the names that it binds, as the flat
// bindings of a let. before are bindings that must precede the condition.
type clause struct {
	conditions []Node
	bindings   []Node
	before     []Node
}

// A patternContext says which forms a pattern may have.
type patternContext struct {
	top   bool // the pattern is the whole pattern of a clause
	where bool // it is inside (where ...)
	multi bool // it may match several values
}

// matching expands (case subject pattern body ...).
func (c *compiler) matching(l *List, s *scope, unify bool) Node {
	c.check(len(l.Items) >= 2, l, "missing subject")
	subject, clauses := l.Items[1], l.Items[2:]
	c.check(len(clauses)%2 == 0, l, "expected even number of pattern/body pairs")
	c.check(len(clauses) > 0, l, "expected at least one pattern/body pair")
	m := &matcher{c, s, unify}
	if seq, ok := subject.(*Sequence); ok && allFixedSequences(clauses) {
		subject, clauses = unpacked(seq, clauses)
	}
	count := 0
	for i := 0; i < len(clauses); i += 2 {
		count = max(count, valueCount(clauses[i]))
	}
	if count == 1 && repeatable(subject) {
		return m.clauses(l, []Node{subject}, clauses)
	}
	var values []Node
	for range max(count, 1) {
		values = append(values, c.gensym(l, "case"))
	}
	return list(l, "let", sequence(l, &List{l.Position, values}, subject), m.clauses(l, values, clauses))
}

// allFixedSequences reports whether every pattern is a sequence that is matched element by
// element. A subject that is a sequence, too, need not be built then.
func allFixedSequences(clauses []Node) bool {
	for i := 0; i < len(clauses); i += 2 {
		seq, ok := clauses[i].(*Sequence)
		if !ok || len(seq.Items) == 0 {
			return false
		}
		for _, item := range seq.Items {
			if s, ok := item.(*Symbol); ok && strings.HasPrefix(s.Name, "&") {
				return false
			}
		}
	}
	return true
}

// unpacked turns a match of sequences into one of multiple values.
func unpacked(subject *Sequence, clauses []Node) (Node, []Node) {
	out := append([]Node(nil), clauses...)
	for i := 0; i < len(out); i += 2 {
		seq := out[i].(*Sequence)
		out[i] = &List{seq.Position, seq.Items}
	}
	return list(subject, "values", subject.Items...), out
}

// valueCount returns how many values a pattern inspects.
func valueCount(n Node) int {
	l, ok := n.(*List)
	switch {
	case !ok:
		return 1
	case len(l.Items) > 1 && isSym(l.Items[1], "?"):
		return valueCount(l.Items[0])
	case len(l.Items) > 1 && isSym(l.Items[0], "where"):
		return valueCount(l.Items[1])
	case len(l.Items) > 1 && isSym(l.Items[0], "="):
		return 1
	case len(l.Items) > 0 && isSym(l.Items[0], "or"):
		count := 0
		for _, item := range l.Items[1:] {
			count = max(count, valueCount(item))
		}
		return count
	}
	return len(l.Items)
}

// clauses returns an if that tries the clauses in order.
func (m *matcher) clauses(l *List, values []Node, clauses []Node) Node {
	root := list(l, "if")
	current := root
	for i := 0; i < len(clauses); i += 2 {
		pattern, body := clauses[i], clauses[i+1]
		cl := m.pattern(values, pattern, map[string]Node{}, patternContext{top: true, multi: true})
		if cl.before != nil {
			rest := list(pattern, "if")
			current.Items = append(current.Items, &Bool{pattern.Pos(), true},
				list(pattern, "let", sequence(pattern, cl.before...), rest))
			current = rest
		}
		current.Items = append(current.Items, all(pattern, cl.conditions), bound(body, cl.bindings, body))
	}
	return root
}

// all joins conditions by and.
func all(at Node, conditions []Node) Node {
	if len(conditions) == 1 {
		return conditions[0]
	}
	return list(at, "and", conditions...)
}

// bound returns a form with bindings around it. Even without bindings the scope matters: a
// body may declare names.
func bound(at Node, bindings []Node, form Node) Node {
	return list(at, "let", sequence(at, bindings...), form)
}

// pattern compiles a pattern that is matched against values. Only a pattern whose context
// allows many values inspects more than the first. seen has the values of the names bound so
// far: if a name occurs again, its value must be the same.
func (m *matcher) pattern(values []Node, pattern Node, seen map[string]Node, context patternContext) clause {
	m.c.step()
	switch p := pattern.(type) {
	case *Symbol:
		return m.name(values[0], p, seen)
	case *List:
		return m.list(values, p, seen, context)
	case *Sequence:
		return m.sequence(values[0], p, seen, context)
	case *Table:
		return m.table(values[0], p, seen, context)
	}
	return clause{conditions: []Node{equal(pattern, values[0], pattern)}}
}

func equal(at, a, b Node) Node { return list(at, "=", a, b) }

// name matches a symbol.
func (m *matcher) name(value Node, p *Symbol, seen map[string]Node) clause {
	if p.Name == "nil" || m.unifies(p) {
		return clause{conditions: []Node{equal(p, value, p)}}
	}
	if before, ok := seen[p.Name]; ok {
		return clause{conditions: []Node{equal(p, before, value)}}
	}
	wildcard := strings.HasPrefix(p.Name, "_")
	if !wildcard {
		seen[p.Name] = value
	}
	out := clause{bindings: []Node{p, value}}
	if !wildcard && !strings.HasPrefix(p.Name, "?") {
		out.conditions = []Node{list(p, "not=", symbol(p, "nil"), value)}
	}
	return out
}

// unifies reports whether match compares a name instead of binding it. It does so for a
// local or a field of one.
func (m *matcher) unifies(p *Symbol) bool {
	fields, _ := p.parts()
	return m.unify && p.Name != "_" && m.s.lookup(fields[0]) != nil
}

// list matches a pattern in parentheses: where, or, =, a guard in the old syntax, or
// several values.
func (m *matcher) list(values []Node, p *List, seen map[string]Node, context patternContext) clause {
	c := m.c
	if len(p.Items) == 0 {
		c.check(context.multi, p, "can't nest multi-value destructuring")
		return clause{}
	}
	within := patternContext{where: true, multi: context.multi}
	switch head := p.Items[0]; {
	case isSym(head, "="):
		return m.pinned(values[0], p, context)
	case isSym(head, "where"):
		c.check(context.top, p, "can't nest (where) pattern")
		c.check(len(p.Items) > 1, p, "expected a pattern in (where)")
		guards := p.Items[2:]
		if or, ok := callOf(p.Items[1], "or"); ok {
			return m.alternatives(values, or, guards, within)
		}
		return m.guarded(values, p.Items[1], guards, seen, within)
	case isSym(head, "or"):
		c.check(context.top, p, "can't nest (or) pattern")
		c.failHint(p, "write (where (or ...))", "(or) must be used in (where) patterns")
	case len(p.Items) > 1 && isSym(p.Items[1], "?"):
		c.check(m.unify, p, "legacy guard clause not supported in case")
		return m.guarded(values, head, p.Items[2:], seen, patternContext{multi: context.multi})
	}
	c.check(context.multi, p, "can't nest multi-value destructuring")
	var out clause
	for i, item := range p.Items {
		out.add(m.pattern(values[i:i+1], item, seen, patternContext{where: context.where}))
	}
	return out
}

// pinned matches (= name): the value must equal the value of a name outside the pattern.
func (m *matcher) pinned(value Node, p *List, context patternContext) clause {
	c := m.c
	c.check(len(p.Items) == 2, p, "(=) should take only one argument")
	c.checkHint(!m.unify, p, "match compares locals by itself: write the name alone", "(=) cannot be used inside of match")
	c.checkHint(context.where, p, "write (where (= name))", "(=) must be used in (where) patterns")
	name, ok := p.Items[1].(*Symbol)
	c.check(ok && name.Name != "nil", p, "= has to bind to a symbol")
	return clause{conditions: []Node{equal(p, value, name)}}
}

func (o *clause) add(other clause) {
	o.conditions = append(o.conditions, other.conditions...)
	o.bindings = append(o.bindings, other.bindings...)
}
