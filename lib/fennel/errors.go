package fennel

import (
	"errors"
	"fmt"
	"slices"

	"quire/lib/diag"
	"quire/lib/vm"
)

// diagnose makes the diagnostic of a message at p.
func diagnose(p Position, hint, message string) diag.Diagnostic {
	d := diag.Diagnostic{File: p.File(), Line: p.Line, Column: p.Column, Message: message, Hint: hint}
	if p.src != nil {
		d.Source = p.src.line(p.Line)
	}
	return d
}

// bail is what a form that cannot be compiled panics with, after its error has
// been recorded; guard catches it at the next form that can be skipped.
type bail struct{}

// A stop is what the compilation panics with if its Bound ends it. Only Compile catches it.
type stop struct {
	at  Position
	err error
}

// step ends the compilation once it has used too much time or memory.
func (c *compiler) step() {
	if err := c.opts.Bound.Step(); err != nil {
		panic(stop{c.at, err})
	}
}

// stopping makes an error of a stop.
func stopping(err *error) {
	switch r := recover().(type) {
	case nil:
	case stop:
		*err = r.err
		if errors.Is(r.err, errText) || errors.As(r.err, new(*vm.LimitError)) {
			const hint = "does a macro or an include make much more code than it seems to?"
			*err = diag.List{diagnose(r.at, hint, "the compiler "+r.err.Error())}
		}
	default:
		panic(r)
	}
}

// report records an error at n and lets the compiler go on.
func (c *compiler) report(n Node, hint, format string, args ...any) {
	if c.full() {
		return
	}
	p := n.Pos()
	if p.Line == 0 {
		p = c.at
	}
	d := diagnose(p, hint, fmt.Sprintf(format, args...))
	if !slices.Contains(c.errs, d) {
		c.errs = append(c.errs, d)
	}
}

// full reports whether there are as many errors as are reported; nothing more
// has to be compiled then.
func (c *compiler) full() bool { return len(c.errs) >= maxErrors }

// fail records an error at n and gives up the form at hand.
func (c *compiler) fail(n Node, format string, args ...any) {
	c.failHint(n, "", format, args...)
}

// failHint is fail with a hint of what to do.
func (c *compiler) failHint(n Node, hint, format string, args ...any) {
	c.report(n, hint, format, args...)
	panic(bail{})
}

// check fails unless ok.
func (c *compiler) check(ok bool, n Node, format string, args ...any) {
	if !ok {
		c.fail(n, format, args...)
	}
}

// checkHint fails with a hint unless ok.
func (c *compiler) checkHint(ok bool, n Node, hint, format string, args ...any) {
	if !ok {
		c.failHint(n, hint, format, args...)
	}
}

// guard runs f, which compiles the form n, and says whether it came through. The
// names that a failed form may have been about to bind are forgiven from then
// on, so that one mistake is not reported once for each use of the name.
func (c *compiler) guard(n Node, s *scope, f func()) bool {
	if !c.full() && c.catch(f) {
		return true
	}
	c.forgive(n, s)
	return false
}

// catch runs f and says whether it came through.
func (c *compiler) catch(f func()) (ok bool) {
	at, depth := c.at, c.depth
	defer func() {
		if r := recover(); r != nil {
			if _, is := r.(bail); !is {
				panic(r)
			}
			c.at, c.depth = at, depth
			ok = false
		}
	}()
	f()
	return true
}

// forgive marks every symbol of n that stands where a binding may as known.
func (c *compiler) forgive(n Node, s *scope) {
	l, ok := n.(*List)
	if !ok || len(l.Items) < 2 {
		return
	}
	if !isSym(l.Items[0], "macro") && !isSym(l.Items[0], "import-macros") {
		c.forgiveSymbols(l.Items[1], s)
		return
	}
	for _, item := range l.Items[1:] {
		c.forgiveSymbols(item, s)
	}
}

func (c *compiler) forgiveSymbols(n Node, s *scope) {
	switch n := n.(type) {
	case *Symbol:
		if s.forgiven == nil {
			s.forgiven = map[string]bool{}
		}
		s.forgiven[n.Name] = true
	case *List:
		for _, item := range n.Items {
			c.forgiveSymbols(item, s)
		}
	case *Sequence:
		for _, item := range n.Items {
			c.forgiveSymbols(item, s)
		}
	case *Table:
		for i, v := range n.Values {
			c.forgiveSymbols(n.Keys[i], s)
			c.forgiveSymbols(v, s)
		}
	}
}
