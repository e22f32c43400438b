package fennel

import (
	"fmt"
	"strings"
)

// macroLambda expands lambda: a fn whose parameters may not be nil unless their names begin
// with ? or _.
func macroLambda(c *compiler, l *List, s *scope) Node {
	at := 1
	if _, ok := c.item(l, 1).(*Symbol); ok {
		at = 2
	}
	params, ok := c.item(l, at).(*Sequence)
	c.check(ok, c.itemOr(l, at), "expected parameters table")
	body := l.Items[at+1:]
	n := docForms(body)
	forms := append(l.Items[1:at+1+n:at+1+n], c.checks(params)...)
	forms = append(forms, body[n:]...)
	if len(body) == 0 {
		forms = append(forms, symbol(l, "nil"))
	}
	return list(l, "fn", forms...)
}

// checks returns the assertions of a lambda for the names in a pattern.
func (c *compiler) checks(n Node) []Node {
	var out []Node
	switch n := n.(type) {
	case *Sequence:
		for _, item := range n.Items {
			out = append(out, c.checks(item)...)
		}
	case *Table:
		for _, item := range n.Values {
			out = append(out, c.checks(item)...)
		}
	case *Symbol:
		if strings.HasPrefix(n.Name, "?") || strings.HasPrefix(n.Name, "_") || n.Name == "&" || n.Name == "&as" {
			return nil
		}
		message := fmt.Sprintf("Missing argument %s on %s:%d", n.Name, n.File(), n.Line)
		out = append(out, list(n, "_G.assert", list(n, "not=", symbol(n, "nil"), n), text(n, message)))
	}
	return out
}

// macroPartial expands partial, which fixes the first arguments of a function. They are
// evaluated once, when the partial function is made.
func macroPartial(c *compiler, l *List, s *scope) Node {
	c.check(len(l.Items) >= 2, l, "expected a function to partially apply")
	dots := &Vararg{l.Position}
	call := &List{l.Position, []Node{l.Items[1]}}
	var bindings []Node
	for _, arg := range l.Items[2:] {
		if !repeatable(arg) {
			held := c.gensym(arg, "arg")
			bindings = append(bindings, held, arg)
			arg = held
		}
		call.Items = append(call.Items, arg)
	}
	call.Items = append(call.Items, dots)
	f := list(l, "fn", sequence(l, dots), call)
	if bindings == nil {
		return f
	}
	return list(l, "let", sequence(l, bindings...), f)
}

// macroPickArgs makes a function with so many parameters that calls another function.
func macroPickArgs(c *compiler, l *List, s *scope) Node {
	n, ok := c.item(l, 1).(*Number)
	c.check(ok && len(l.Items) == 3 && n.Value >= 0 && n.Value <= 100, l, "expected a literal number and a function")
	var params []Node
	for range int(n.Value) {
		params = append(params, c.gensym(l, "arg"))
	}
	call := &List{l.Position, append([]Node{l.Items[2]}, params...)}
	return list(l, "fn", sequence(l, params...), call)
}

// macroAssertRepl refuses assert-repl, which starts an interactive prompt if an assertion
// fails: pipelines have no terminal.
func macroAssertRepl(c *compiler, l *List, s *scope) Node {
	c.failHint(l, "use assert", "assert-repl needs a prompt, and there is none here")
	return nil
}
