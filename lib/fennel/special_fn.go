package fennel

import "strconv"

// specialFn compiles (fn name? [parameters] docstring? metadata? body...). The name is
// declared in the scope around the function and visible inside it.
func specialFn(c *compiler, l *List, s *scope, b *block, w want) result {
	at := c.lineOf(l)
	name, _ := c.item(l, 1).(*Symbol)
	if name == nil || name.Name == "nil" {
		rest := l.Items[1:]
		if name != nil {
			rest = l.Items[2:]
		}
		return values(c.function(l, rest, s))
	}
	fields, method := name.parts()
	c.check(!method, name, "unexpected multi symbol %s", name.Name)
	if len(fields) == 1 {
		local := c.reserve(name, s, false)
		c.spill(local, s, b)
		c.bind(name, local, s)
		f := c.function(l, l.Items[2:], s)
		if local.table != "" {
			b.add(&statAssign{at, []luaExpr{local.expr(at)}, []luaExpr{f}})
		} else {
			b.add(&statLocalFunction{at, local.lua, f})
		}
		return values(local.expr(at))
	}
	if s.lookup(fields[0]) == nil && !c.known(fields[0]) && !s.forgives(fields[0]) {
		c.fail(name, "expected local table %s", fields[0])
	}
	target := c.reference(name, s)
	f := c.function(l, l.Items[2:], s)
	b.add(&statAssign{at, []luaExpr{target}, []luaExpr{f}})
	return values(target)
}

// function compiles the parameters and body of a fn.
func (c *compiler) function(l *List, rest []Node, s *scope) *luaFunction {
	var params *Sequence
	if len(rest) > 0 {
		params, _ = rest[0].(*Sequence)
		if t, ok := rest[0].(*Table); ok && len(t.Keys) == 0 {
			params = &Sequence{Position: t.Position}
		}
	}
	if params == nil {
		var at Node = l
		if len(rest) > 0 && isTable(rest[0]) {
			at = rest[0]
		}
		c.failHint(at, "write (fn [a b] body)", "expected parameters table")
	}
	fs := newFunctionScope(s, &function{macro: s.fn.macro})
	f := &luaFunction{line: c.lineOf(l), body: &block{}}
	c.parameters(params, f, fs)
	body := rest[1+docForms(rest[1:]):]
	c.body(body, fs, f.body, wantTail)
	f.vararg = fs.fn.vararg
	return f
}

// docForms counts the forms at the start of a function's body that only describe it: a
// docstring, a table of metadata, or both. The last form is always the body's value.
func docForms(body []Node) int {
	n := 0
	if len(body) > n+1 {
		if _, ok := body[n].(*String); ok {
			n++
		}
	}
	if len(body) > n+1 {
		if t, ok := body[n].(*Table); ok && len(t.Keys) > 0 {
			n++
		}
	}
	return n
}

// parameters declares the parameters of a function. Patterns are destructured at the
// beginning of its body.
func (c *compiler) parameters(params *Sequence, f *luaFunction, s *scope) {
	for i := 0; i < len(params.Items); i++ {
		p := params.Items[i]
		last := i == len(params.Items)-1
		switch {
		case isSym(p, "&"):
			c.check(i == len(params.Items)-2, p, "expected rest argument before last parameter")
			i++
			s.fn.vararg = true
			at := c.lineOf(p)
			packed := &luaTable{at, []luaExpr{nil}, []luaExpr{&luaVararg{at}}}
			c.bindValue(params.Items[i], packed, s, f.body)
			continue
		case isTable(p):
			name := c.temporary()
			f.params = append(f.params, name)
			c.bindValue(p, &luaName{c.lineOf(p), name}, s, f.body)
			continue
		}
		switch p := p.(type) {
		case *Vararg:
			c.check(last, p, "expected vararg as last parameter")
			s.fn.vararg = true
			continue
		case *Symbol:
			if p.Name != "nil" && !isMulti(p.Name) {
				f.params = append(f.params, c.declare(p, s, false))
				continue
			}
		}
		c.fail(p, "expected symbol for function parameter: %s", show(p))
	}
}

// maxHashArgs is how many single arguments a hashfn can name.
const maxHashArgs = 9

// specialHashfn compiles #( ... ): $ and $1 to $9 are its arguments, or $... is all of
// them.
func specialHashfn(c *compiler, l *List, s *scope, b *block, w want) result {
	c.check(len(l.Items) == 2, l, "expected one argument")
	body, all := allArguments(l.Items[1])
	fn := &function{hashfn: true, vararg: all, macro: s.fn.macro}
	fs := newFunctionScope(s, fn)
	var names []string
	for i := 1; i <= maxHashArgs; i++ {
		name := "$" + strconv.Itoa(i)
		arg := &local{lua: c.uniqueLua(name, fs), arg: i, of: fn}
		names = append(names, arg.lua)
		fs.bind(name, arg)
		if i == 1 {
			// Under its short name the argument can also be set.
			fs.bind("$", &local{lua: arg.lua, arg: i, of: fn, mutable: true})
		}
	}
	f := &luaFunction{line: c.lineOf(l), vararg: all, body: &block{}}
	c.compile(body, fs, f.body, wantTail)
	c.check(!all || fn.maxArg == 0, l, "$ and $... in hashfn are mutually exclusive")
	f.params = names[:fn.maxArg]
	return values(f)
}

// allArguments replaces $... in the body of a hashfn, but not in hashfns inside it, by the
// vararg. It reports whether it replaced any.
func allArguments(n Node) (Node, bool) {
	found := false
	replace := func(items []Node) []Node {
		out := items
		for i, item := range items {
			with, ok := allArguments(item)
			if !ok {
				continue
			}
			if !found {
				out = append([]Node(nil), items...)
				found = true
			}
			out[i] = with
		}
		return out
	}
	switch n := n.(type) {
	case *Symbol:
		if n.Name == "$..." {
			return &Vararg{n.Position}, true
		}
	case *List:
		if _, ok := callOf(n, "hashfn"); ok {
			return n, false
		}
		if items := replace(n.Items); found {
			return &List{n.Position, items}, true
		}
	case *Sequence:
		if items := replace(n.Items); found {
			return &Sequence{n.Position, items}, true
		}
	case *Table:
		keys := replace(n.Keys)
		inKeys := found
		found = false
		values := replace(n.Values)
		if inKeys || found {
			return &Table{n.Position, keys, values}, true
		}
	}
	return n, false
}
