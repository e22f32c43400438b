package fennel

// A macro turns a form into another before it is compiled. It is built in, defined by the
// source, or a table of macros under one name.
type macro struct {
	expand func(c *compiler, l *List, s *scope) Node
	fields map[string]*macro // of a module bound to one name
}

// builtin is a macro of the language, written in Go.
type builtin func(c *compiler, l *List, s *scope) Node

// maxExpansions bounds how many times macros are expanded in one file: a macro
// that expands to itself would never end.
const maxExpansions = 500_000

// isMacro reports whether a name is a macro in s.
func (c *compiler) isMacro(name string, s *scope) bool {
	return builtins[name] != nil || s.macro(name) != nil
}

// expand expands n until its head is not a macro.
func (c *compiler) expand(n Node, s *scope) Node {
	for {
		next, ok := c.expandOnce(n, s)
		if !ok {
			return n
		}
		n = next
	}
}

// expandOnce expands n by one step, and reports whether it was a macro call.
func (c *compiler) expandOnce(n Node, s *scope) (Node, bool) {
	l, ok := n.(*List)
	if !ok || len(l.Items) == 0 {
		return n, false
	}
	head, ok := l.Items[0].(*Symbol)
	if !ok {
		return n, false
	}
	expand := c.findMacro(head, s)
	if expand == nil {
		return n, false
	}
	if c.expansions++; c.expansions > maxExpansions {
		c.failHint(n, "does a macro expand to a call of itself?", "too many macro expansions: more than %d", maxExpansions)
	}
	return expand(c, l, s), true
}

// findMacro returns the function that expands a form with this head, or nil.
func (c *compiler) findMacro(head *Symbol, s *scope) func(*compiler, *List, *scope) Node {
	if m := s.macro(head.Name); m != nil && m.expand != nil {
		return m.expand
	}
	if f := builtins[head.Name]; f != nil {
		return f
	}
	fields, method := head.parts()
	if len(fields) == 1 || method {
		return nil
	}
	m := s.macro(fields[0])
	if m == nil {
		return nil
	}
	for _, name := range fields[1:] {
		if m = m.fields[name]; m == nil {
			c.fail(head, "macro not found in imported macro module: %s", head.Name)
		}
	}
	c.check(m.expand != nil, head, "macro not found in imported macro module: %s", head.Name)
	return m.expand
}
