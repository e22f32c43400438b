package fennel

import "strings"

// specialQuote turns a form into code that makes it. In a macro, the result is a form; in
// the program itself only data can be quoted.
func specialQuote(c *compiler, l *List, s *scope, b *block, w want) result {
	c.check(len(l.Items) == 2, l, "expected one argument")
	q := &quoter{c, s, b}
	return values(q.quote(l.Items[1]))
}

func specialUnquote(c *compiler, l *List, s *scope, b *block, w want) result {
	c.failHint(l, "a comma only means something after ` in a macro", "tried to use unquote outside quote")
	return finished
}

type quoter struct {
	c *compiler
	s *scope
	b *block
}

func (q *quoter) quote(n Node) luaExpr {
	c := q.c
	at := c.lineOf(n)
	if unquoted, ok := callOf(n, "unquote"); ok {
		c.check(len(unquoted.Items) == 2, n, "expected one argument")
		return q.unquote(unquoted.Items[1])
	}
	switch n := n.(type) {
	case *Symbol:
		q.onlyInMacros(n, "symbols")
		return q.symbol(n)
	case *Vararg:
		q.onlyInMacros(n, "quoted ...")
		return &luaName{at, "_VARARG"}
	case *List:
		q.onlyInMacros(n, "lists")
		return q.make(at, quotedList, n.Items)
	case *Sequence:
		if !q.s.fn.macro {
			t := &luaTable{line: at, keys: make([]luaExpr, len(n.Items))}
			for _, item := range n.Items {
				t.values = append(t.values, q.quote(item))
			}
			return t
		}
		return q.make(at, "sequence", n.Items)
	case *Table:
		if !q.s.fn.macro {
			t := &luaTable{line: at}
			for i, k := range n.Keys {
				t.keys = append(t.keys, q.quote(k))
				t.values = append(t.values, q.quote(n.Values[i]))
			}
			return t
		}
		var pairs []Node
		for i, k := range n.Keys {
			pairs = append(pairs, k, n.Values[i])
		}
		return q.make(at, quotedTable, pairs)
	}
	return c.one(n, q.s, q.b)
}

// unquote compiles the code after a comma. At the end of a list it may return several
// values, which are all inserted.
func (q *quoter) unquote(n Node) luaExpr {
	exprs := q.c.compile(n, q.s, q.b, wantAll)
	if len(exprs) == 0 {
		return luaNil
	}
	q.c.addEffects(exprs[1:], q.b)
	return exprs[0]
}

func (q *quoter) onlyInMacros(n Node, name string) {
	q.c.check(q.s.fn.macro, n, "%s may only be used at compile time", name)
}

// make returns a call of a function of the compile-time environment that builds a node.
func (q *quoter) make(at line, function string, items []Node) luaExpr {
	callee := q.c.fields(&luaName{at, "_G"}, []string{function}, at)
	call := &luaCall{at, callee, nil}
	for _, item := range items {
		call.args = append(call.args, q.quote(item))
	}
	return call
}

// symbol quotes a symbol. A name that ends in # becomes a fresh name, the same in the whole
// quote. Any other is marked, so that the expansion can use it but not bind it: binding it
// could capture a name of the caller.
func (q *quoter) symbol(n *Symbol) luaExpr {
	at := q.c.lineOf(n)
	name := n.Name
	base, rest := name, ""
	if i := strings.IndexAny(name, ".:"); i > 0 && isMulti(name) {
		base, rest = name[:i], name[i:]
	}
	args := []luaExpr{&luaString{at, name}, &luaLiteral{at, "true"}}
	if len(base) > 1 && strings.HasSuffix(base, "#") {
		args = []luaExpr{&luaString{at, q.c.autoGensym(base, q.s) + rest}}
	}
	return &luaCall{at, q.c.fields(&luaName{at, "_G"}, []string{quotedSymbol}, at), args}
}

// autoGensym returns the fresh name for a name that ends in # in s.
func (c *compiler) autoGensym(name string, s *scope) string {
	for p := s; p != nil; p = p.parent {
		if g, ok := p.gensyms[name]; ok {
			return g
		}
	}
	if s.gensyms == nil {
		s.gensyms = map[string]string{}
	}
	s.gensyms[name] = c.uniqueName(strings.TrimSuffix(name, "#"), "auto")
	return s.gensyms[name]
}
