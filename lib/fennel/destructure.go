package fennel

import "strings"

// A binder assigns the values of one expression to a pattern of names, for let, local, var,
// set, global, fn and each.
type binder struct {
	c    *compiler
	s    *scope
	b    *block
	mode bindMode

	// pending are declared locals. They become visible when the whole pattern is done:
	// the values in it still see the old meanings of the names.
	pending []pendingLocal
}

type pendingLocal struct {
	name  *Symbol
	local *local
}

type bindMode int

const (
	declareLocal bindMode = iota
	declareVar
	setVar
	setForcibly
	setGlobal
)

func (m bindMode) declares() bool { return m <= declareVar }

// bindForm assigns the value of the form from to the pattern to.
func (c *compiler) bindForm(to, from Node, mode bindMode, s *scope, b *block) {
	d := &binder{c: c, s: s, b: b, mode: mode}
	switch to := to.(type) {
	case *Symbol:
		d.fromForm([]Node{to}, to, from)
	case *List:
		if _, ok := callOf(to, "."); ok {
			d.fromForm([]Node{to}, to, from)
			break
		}
		c.check(len(to.Items) > 0, to, "must provide at least one value")
		d.fromForm(to.Items, to, from)
	case *Sequence:
		if values, ok := from.(*Sequence); ok && simpleTargets(to) {
			all := &List{Position: values.Position, Items: append([]Node{symbol(values, "values")}, values.Items...)}
			d.fromForm(to.Items, to, all)
			break
		}
		d.pattern(to, d.source(from))
	case *Table:
		d.pattern(to, d.source(from))
	default:
		c.fail(to, "unable to bind %s", describe(to))
	}
	d.finish()
}

// bindValue assigns the value of a compiled expression to the pattern to.
func (c *compiler) bindValue(to Node, from luaExpr, s *scope, b *block) {
	d := &binder{c: c, s: s, b: b}
	d.value(to, from)
	d.finish()
}

// finish makes the declared locals visible.
func (d *binder) finish() {
	for _, p := range d.pending {
		d.c.bind(p.name, p.local, d.s)
	}
}

// simpleTargets reports whether a sequence pattern contains only names and fields. Another
// sequence can then be assigned to it without building a table.
func simpleTargets(n *Sequence) bool {
	for _, item := range n.Items {
		if name, ok := item.(*Symbol); ok && !strings.HasPrefix(name.Name, "&") {
			continue
		}
		if _, ok := callOf(item, "."); !ok {
			return false
		}
	}
	return len(n.Items) > 0
}

// fromForm binds each of items to one value of a form. Tables among the items are
// destructured afterwards. A nil among several targets skips a value.
func (d *binder) fromForm(items []Node, whole, from Node) {
	at := d.c.lineOf(whole)
	type nested struct {
		pattern Node
		value   luaExpr
	}
	var targets []luaExpr
	var later []nested
	temporary := false
	for _, t := range items {
		skipped := isNil(t) && whole != t
		if isTable(t) || skipped {
			name := &luaName{at, d.c.temporary()}
			targets = append(targets, name)
			temporary = true
			if !skipped {
				later = append(later, nested{t, name})
			}
			continue
		}
		targets = append(targets, d.target(t))
	}
	if !d.mode.declares() {
		defer d.c.protectNames(targets)()
	}
	d.initialise(targets, temporary, from, at)
	for _, n := range later {
		d.pattern(n.pattern, n.value)
	}
}

// initialise assigns the values of a form to targets, which it declares unless they exist
// already. A form that ends in one assignment becomes "local x = ..."; for any other, such
// as an if, the local is declared first.
func (d *binder) initialise(targets []luaExpr, temporary bool, from Node, at line) {
	if !d.mode.declares() {
		if temporary {
			d.b.add(&statLocal{line: at, names: temporaries(targets)})
		}
		d.c.compile(from, d.s, d.b, want{values: anyNumber, targets: targets})
		return
	}
	inner := &block{}
	d.c.compile(from, d.s, inner, want{values: anyNumber, targets: targets})
	names, all := namesOf(targets)
	if crowded := d.s.locals() > maxNamed && inner.declares() && inner.onlyTemporaries(); !all || crowded {
		if len(names) > 0 {
			d.b.add(&statLocal{at, names, nil})
		}
		d.b.splice(inner, int(at))
		return
	}
	if last := len(inner.stats) - 1; last >= 0 {
		if a, ok := inner.stats[last].(*statAssign); ok && sameExprs(a.targets, targets) {
			d.b.stats = append(d.b.stats, inner.stats[:last]...)
			d.b.add(&statLocal{line(a.lineOf()), names, a.values})
			return
		}
	}
	d.b.add(&statLocal{at, names, nil})
	d.b.stats = append(d.b.stats, inner.stats...)
}

// sameExprs reports whether two lists are the same nodes.
func sameExprs(a, b []luaExpr) bool {
	return len(a) == len(b) && len(a) > 0 && &a[0] == &b[0]
}

// namesOf returns the targets that are Lua locals, and whether all are.
func namesOf(targets []luaExpr) (names []string, all bool) {
	for _, p := range targets {
		if n, ok := p.(*luaName); ok {
			names = append(names, n.name)
		}
	}
	return names, len(names) == len(targets)
}

func temporaries(targets []luaExpr) []string {
	var names []string
	for _, p := range targets {
		if n, ok := p.(*luaName); ok && isTemporary(n.name) {
			names = append(names, n.name)
		}
	}
	return names
}

// target returns the Lua variable or field that a name, field or (. t k) denotes.
func (d *binder) target(n Node) luaExpr {
	switch n := n.(type) {
	case *Symbol:
		return d.nameTarget(n)
	case *List:
		if _, ok := callOf(n, "."); ok {
			return d.fieldTarget(n)
		}
		d.c.fail(n, "can't nest multi-value destructuring")
	}
	d.c.fail(n, "unable to bind %s", describe(n))
	return nil
}

func (d *binder) nameTarget(n *Symbol) luaExpr {
	c, s := d.c, d.s
	if d.mode.declares() {
		l := c.reserve(n, s, d.mode == declareVar)
		c.spill(l, s, d.b)
		d.pending = append(d.pending, pendingLocal{n, l})
		return l.expr(c.lineOf(n))
	}
	fields, method := n.parts()
	c.check(!method, n, "cannot set method sym")
	c.check(n.Name != "nil", n, "unable to bind symbol nil")
	head := fields[0]
	l := s.lookup(head)
	if d.mode == setGlobal {
		c.check(len(fields) == 1, n, "unexpected multi symbol %s", n.Name)
		c.check(l == nil && !s.takes(head), n, "global %s conflicts with local", n.Name)
		c.checkBindable(n, s)
		if c.globals != nil {
			c.globals[head] = true
		}
		return c.global(head, s, c.lineOf(n))
	}
	if len(fields) == 1 {
		c.checkBindable(n, s)
		if d.mode == setVar && l != nil && !l.mutable {
			c.failHint(n, "introduce it with var instead of local or let", "expected var %s", n.Name)
		}
	}
	if l == nil && d.mode == setVar && !c.known(head) && !s.forgives(head) {
		c.failHint(n, "introduce it with var first", "expected local %s", head)
	}
	if l == nil && d.mode == setForcibly && c.globals != nil {
		c.globals[head] = true
	}
	return c.fields(c.base(n, head, s), fields[1:], c.lineOf(n))
}

// fieldTarget compiles (. t k ...) as a target.
func (d *binder) fieldTarget(n *List) luaExpr {
	c := d.c
	c.check(!d.mode.declares() && d.mode != setGlobal, n, "unable to bind %s", describe(n))
	c.check(len(n.Items) > 2, n, "dynamic set needs at least one key")
	base, ok := n.Items[1].(*Symbol)
	c.check(ok, n, "dynamic set needs symbol target")
	e := c.reference(base, d.s)
	for _, key := range n.Items[2:] {
		e = &luaIndex{c.lineOf(key), e, c.one(key, d.s, d.b)}
	}
	return e
}

// source compiles the form that a table pattern destructures, so that it is evaluated once:
// to its name, or else into a local.
func (d *binder) source(from Node) luaExpr {
	e := d.c.one(from, d.s, d.b)
	if n, ok := e.(*luaName); ok {
		return n
	}
	return d.c.hold(e, d.b)
}

// value binds an expression to a pattern inside another pattern.
func (d *binder) value(to Node, from luaExpr) {
	if isTable(to) {
		if _, ok := from.(*luaName); !ok {
			from = d.c.hold(from, d.b)
		}
		d.pattern(to, from)
		return
	}
	target := d.target(to)
	at := d.c.lineOf(to)
	if n, ok := target.(*luaName); ok && d.mode.declares() {
		d.b.add(&statLocal{at, []string{n.name}, []luaExpr{from}})
		return
	}
	d.b.add(&statAssign{at, []luaExpr{target}, []luaExpr{from}})
}
