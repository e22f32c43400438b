package fennel

import (
	"strconv"
	"strings"
)

// reference compiles a symbol whose value is used.
func (c *compiler) reference(n *Symbol, s *scope) luaExpr {
	if n.Name == "nil" {
		return &luaLiteral{c.lineOf(n), "nil"}
	}
	fields, method := n.parts()
	if method {
		c.failHint(n, "call it: ("+n.Name+" ...)", "multisym method calls may only be in call position")
	}
	return c.fields(c.base(n, fields[0], s), fields[1:], c.lineOf(n))
}

// fields returns the nested field of e with the path keys.
func (c *compiler) fields(e luaExpr, keys []string, at line) luaExpr {
	for _, key := range keys {
		e = &luaIndex{at, e, &luaString{at, key}}
	}
	return e
}

// base compiles the first part of a symbol.
func (c *compiler) base(n *Symbol, name string, s *scope) luaExpr {
	if s.forgives(name) && s.lookup(name) == nil {
		return luaNil
	}
	if c.isMacro(name, s) {
		c.report(n, "a macro is not a value; wrap it in a function: #("+name+" $...)",
			"tried to reference a macro without calling it: %s", name)
		return luaNil
	}
	if specials[name] != nil {
		c.report(n, "a special form is not a value; wrap it in a function: #("+name+" $1 $2)",
			"tried to reference a special form without calling it: %s", name)
		return luaNil
	}
	if l := s.lookup(name); l != nil {
		l.used()
		return l.expr(c.lineOf(n))
	}
	if !c.known(name) {
		if c.full() {
			panic(bail{})
		}
		c.report(n, c.similar(name, s), "unknown identifier: %s", name)
		return luaNil
	}
	return c.global(name, s, c.lineOf(n))
}

// used notes that a hashfn needs a parameter for $n.
func (l *local) used() {
	if l.of != nil {
		l.of.maxArg = max(l.of.maxArg, l.arg)
	}
}

// known reports whether an unbound name may be used as a global.
func (c *compiler) known(name string) bool {
	return c.globals == nil || c.globals[name]
}

// global compiles the use of a global. If its name is not a Lua identifier, or is also the
// mangled name of a local, it is looked up in _G.
func (c *compiler) global(name string, s *scope, at line) luaExpr {
	if c.globals != nil {
		s.useGlobal(name)
	}
	if isLuaName(name) && !isTemporary(name) && !s.takes(name) {
		c.used[name] = true
		return &luaName{at, name}
	}
	return c.fields(&luaName{at, "_G"}, []string{name}, at)
}

// vararg compiles "...".
func (c *compiler) vararg(n *Vararg, s *scope) luaExpr {
	if !s.fn.vararg {
		if s.fn.hashfn {
			c.failHint(n, "in #( ) all arguments together are $...", "use $... in hashfn")
		}
		c.failHint(n, "put ... last in the parameters of the function", "unexpected vararg")
	}
	s.fn.uses++
	return &luaVararg{c.lineOf(n)}
}

// checkBindable refuses symbols that cannot be the name of a variable.
func (c *compiler) checkBindable(n *Symbol, s *scope) {
	switch fields, method := n.parts(); {
	case len(fields) > 1 || method:
		c.failHint(n, "only set, tset and fn take a field", "unexpected multi symbol %s", n.Name)
	case n.Name == "nil":
		c.fail(n, "unable to bind symbol nil")
	case strings.Contains(n.Name, "&"):
		c.fail(n, "invalid character: & in %s", n.Name)
	case strings.HasPrefix(n.Name, "."):
		c.fail(n, "invalid character: . at the start of %s", n.Name)
	case specials[n.Name] != nil || c.isMacro(n.Name, s):
		c.failHint(n, "choose another name", "local %s was overshadowed by a special form or macro", n.Name)
	case n.quoted:
		c.failHint(n, "write "+n.Name+"# in the macro for a fresh name",
			"macro tried to bind %s without gensym", n.Name)
	}
}

// declare binds a name in s and returns its Lua name.
func (c *compiler) declare(n *Symbol, s *scope, mutable bool) string {
	l := c.reserve(n, s, mutable)
	c.bind(n, l, s)
	return l.lua
}

// reserve makes a local that is not visible yet: its initialiser still sees the name's old
// meaning.
func (c *compiler) reserve(n *Symbol, s *scope, mutable bool) *local {
	c.checkBindable(n, s)
	return &local{lua: c.uniqueLua(n.Name, s), mutable: mutable}
}

// uniqueLua reserves a Lua name for a Fennel name in s. The name is unique in s and in the
// scopes around it, so that it hides no outer name by accident. It also differs from a
// global that the source uses if only their mangled names are equal, and from a global that
// is about to be assigned.
func (c *compiler) uniqueLua(name string, s *scope) string {
	base := mangle(name)
	lua := base
	for n := 0; s.takes(lua) || c.assigned[lua] > 0 || lua != name && c.used[lua]; n++ {
		if n == maxTries {
			n = max(n, c.alike[base])
			c.alike[base] = n + 1
		}
		lua = base + strconv.Itoa(n)
	}
	s.take(lua)
	return lua
}

// protectNames prevents new locals from getting the names of the variables in targets, until
// done is called. In (global k (let [k 5] k)) the global k is assigned in the scope of the
// local k.
func (c *compiler) protectNames(targets []luaExpr) (done func()) {
	var names []string
	for _, e := range targets {
		for index, ok := e.(*luaIndex); ok; index, ok = e.(*luaIndex) {
			e = index.object
		}
		if n, ok := e.(*luaName); ok {
			names = append(names, n.name)
			c.assigned[n.name]++
		}
	}
	return func() {
		for _, name := range names {
			c.assigned[name]--
		}
	}
}

// After maxTries attempts at a unique name, a counter continues from its last value:
// otherwise a name bound a thousand times in a scope would take a million attempts.
const maxTries = 10

// bind makes a reserved local visible.
func (c *compiler) bind(n *Symbol, l *local, s *scope) {
	if s.aliased[n.Name] {
		c.failHint(n, "choose another name for the local", "use of global %s is aliased by a local", n.Name)
	}
	s.bind(n.Name, l)
}

// temp declares a fresh Lua local in b, without a value yet.
func (c *compiler) temp(b *block, at line) *luaName {
	name := &luaName{at, c.temporary()}
	b.add(&statLocal{at, []string{name.name}, nil})
	return name
}

// hold puts e in a fresh Lua local, so that it is evaluated once.
func (c *compiler) hold(e luaExpr, b *block) *luaName {
	at := line(e.lineOf())
	return c.holdAll([]luaExpr{e}, 1, b, at)[0].(*luaName)
}

// holdAll puts n values in fresh Lua locals with one statement.
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
