package fennel

import "slices"

// guarded matches a pattern and then tests the guards, which see its names.
func (m *matcher) guarded(values []Node, pattern Node, guards []Node, seen map[string]Node, context patternContext) clause {
	out := m.pattern(values, pattern, seen, context)
	if len(guards) > 0 {
		out.conditions = append(out.conditions, bound(pattern, out.bindings, all(guards[0], guards)))
	}
	return out
}

// alternatives matches (where (or pattern ...) guard ...). Names that every alternative
// binds are usable. Their values depend on the alternative that matched, so they are
// computed before the condition.
func (m *matcher) alternatives(values []Node, or *List, guards []Node, context patternContext) clause {
	c := m.c
	patterns := or.Items[1:]
	c.check(len(patterns) > 0, or, "expected at least one pattern in (or)")
	names := m.commonNames(patterns)
	if len(names) == 0 {
		either := list(or, "or")
		for _, p := range patterns {
			either.Items = append(either.Items, all(p, m.pattern(values, p, map[string]Node{}, context).conditions))
		}
		return clause{conditions: append([]Node{either}, guards...)}
	}
	matched := c.gensym(or, "matched")
	held := []Node{matched}
	result := []Node{&Bool{or.Position, true}}
	var bindings []Node
	var mangled []Node
	for _, name := range names {
		h := c.gensym(or, "or")
		held = append(held, h)
		mangled = append(mangled, h)
		result = append(result, name)
		bindings = append(bindings, name)
	}
	try := list(or, "if")
	for _, p := range patterns {
		cl := m.guarded(values, p, guards, map[string]Node{}, context)
		try.Items = append(try.Items, all(p, cl.conditions), bound(p, cl.bindings, list(p, "values", result...)))
	}
	return clause{
		conditions: []Node{matched},
		bindings:   []Node{&List{or.Position, bindings}, list(or, "values", mangled...)},
		before:     []Node{&List{or.Position, held}, try},
	}
}

// commonNames returns the names that all patterns bind, in the order of the first.
func (m *matcher) commonNames(patterns []Node) []Node {
	common := m.boundNames(patterns[0])
	for _, p := range patterns[1:] {
		also := m.boundNames(p)
		common = slices.DeleteFunc(common, func(n *Symbol) bool {
			return !slices.ContainsFunc(also, func(o *Symbol) bool { return o.Name == n.Name })
		})
	}
	var out []Node
	for _, n := range common {
		out = append(out, n)
	}
	return out
}

// boundNames returns the names a pattern binds, each once.
func (m *matcher) boundNames(n Node) []*Symbol {
	var out []*Symbol
	var walk func(items ...Node)
	walk = func(items ...Node) {
		for _, n := range items {
			switch n := n.(type) {
			case *Symbol:
				same := func(o *Symbol) bool { return o.Name == n.Name }
				if n.Name != "nil" && n.Name != "&" && n.Name != "&as" && !m.unifies(n) && !slices.ContainsFunc(out, same) {
					out = append(out, n)
				}
			case *Table:
				walk(n.Values...)
			default:
				if _, pinned := callOf(n, "="); !pinned {
					walk(children(n)...)
				}
			}
		}
	}
	walk(n)
	return out
}
