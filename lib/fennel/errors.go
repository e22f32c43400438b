package fennel

import (
	"errors"
	"fmt"
	"slices"

	"quire/lib/diag"
	"quire/lib/vm"
)

// diagnose returns a diagnostic with a message at p.
func diagnose(p Position, hint, message string) diag.Diagnostic {
	d := diag.Diagnostic{File: p.File(), Line: p.Line, Column: p.Column, Message: message, Hint: hint}
	if p.src != nil {
		d.Source = p.src.line(p.Line)
	}
	return d
}

// bail is the panic of a form that cannot be compiled, after its error has been reported.
// guard catches it at the next form that can be skipped.
type bail struct{}

// A stop is the panic if the Bound ends the compilation. Only Compile catches it.
type stop struct {
	at  Position
	err error
}

// step ends the compilation if it has used too much time or memory.
func (c *compiler) step() {
	if err := c.opts.Bound.Step(); err != nil {
		panic(stop{c.at, err})
	}
}

// stopping turns a stop into an error.
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

// report adds an error at n. The compilation continues.
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

// full reports whether there are maxErrors errors. The rest need not be compiled then.
func (c *compiler) full() bool { return len(c.errs) >= maxErrors }

// fail reports an error at n and gives up the current form.
func (c *compiler) fail(n Node, format string, args ...any) {
	c.failHint(n, "", format, args...)
}

// failHint is fail with a hint about how to repair the error.
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
func (c *compiler) checkHint(ok bool, n Node, hint, message string) {
	if !ok {
		c.failHint(n, hint, "%s", message)
	}
}

// guard runs f, which compiles the form n, and reports whether it succeeded. If not, the
// names that the form might have bound are forgiven from then on, so that one mistake is
// not reported once for each use of the name.
func (c *compiler) guard(n Node, s *scope, f func()) bool {
	if !c.full() && c.catch(f) {
		return true
	}
	c.forgive(n, s)
	return false
}

// catch runs f and reports whether it succeeded.
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

// forgive marks every symbol of n that may be bound by it as known.
func (c *compiler) forgive(n Node, s *scope) {
	l, ok := n.(*List)
	if !ok || len(l.Items) < 2 {
		return
	}
	if isSym(l.Items[0], "macro") || isSym(l.Items[0], "import-macros") {
		forgiveSymbols(s, l.Items[1:]...)
		return
	}
	forgiveSymbols(s, l.Items[1])
}

func forgiveSymbols(s *scope, forms ...Node) {
	for _, n := range forms {
		if n, ok := n.(*Symbol); ok {
			if s.forgiven == nil {
				s.forgiven = map[string]bool{}
			}
			s.forgiven[n.Name] = true
		}
		forgiveSymbols(s, children(n)...)
	}
}
