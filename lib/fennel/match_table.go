package fennel

// isTableTest returns the condition that a value is a table.
func isTableTest(at, value Node) Node {
	return equal(at, list(at, "_G.type", value), text(at, "table"))
}

// sequence matches [a b & rest &as all] against the elements of a table.
func (m *matcher) sequence(value Node, p *Sequence, seen map[string]Node, context patternContext) clause {
	c := m.c
	out := clause{conditions: []Node{isTableTest(p, value)}}
	inner := patternContext{where: context.where}
	for i := 0; i < len(p.Items); i++ {
		item := p.Items[i]
		switch {
		case isSym(item, "&"):
			c.check(i+2 == len(p.Items), item, "expected & rest argument before last parameter")
			i++
			rest := list(item, "select", number(item, i),
				&List{item.Pos(), []Node{list(item, "or", symbol(item, "_G.unpack"), symbol(item, "_G.table.unpack")), value}})
			rest.Items[0] = symbol(item, "_G.select")
			packed := sequence(item, rest)
			if isTable(p.Items[i]) {
				out.conditions = append(out.conditions, m.pattern([]Node{packed}, p.Items[i], map[string]Node{}, inner).conditions...)
			}
			out.bindings = append(out.bindings, p.Items[i], packed)
		case isSym(item, "&as"):
			c.check(i+2 == len(p.Items), item, "expected &as argument before last parameter")
			i++
			out.bindings = append(out.bindings, p.Items[i], value)
		default:
			out.add(m.pattern([]Node{list(item, ".", value, number(item, i+1))}, item, seen, inner))
		}
	}
	return out
}

// table matches {:k pattern &as all}.
func (m *matcher) table(value Node, p *Table, seen map[string]Node, context patternContext) clause {
	out := clause{conditions: []Node{isTableTest(p, value)}}
	for i, key := range p.Keys {
		item := p.Values[i]
		if isSym(key, "&as") {
			out.bindings = append(out.bindings, item, value)
			continue
		}
		field := list(item, ".", value, key)
		out.add(m.pattern([]Node{field}, item, seen, patternContext{where: context.where}))
	}
	return out
}
