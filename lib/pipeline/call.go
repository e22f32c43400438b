package pipeline

import (
	"strings"

	"quire/lib/diag"
	"quire/lib/fennel"
)

// A call is one call of a function of quire.ci: its position and, if it is Fennel and can be
// found, its source. Lua knows only the line.
type call struct {
	file   *file
	line   int
	column int
	form   *fennel.List // nil if unknown
}

// callOf finds the source of a call of the function name. nth is the number of earlier calls
// with the same key.
func (t *tree) callOf(key callKey, name string, nth int) call {
	f := t.files[key.file]
	if f == nil {
		return call{file: &file{name: key.file}, line: key.line}
	}
	c := call{file: f, line: key.line, column: f.indent(key.line)}
	var exact, alike []*fennel.List
	for _, form := range f.forms {
		walk(form, func(list *fennel.List) {
			if list.Line != key.line || len(list.Items) < 2 {
				return
			}
			if s, ok := list.Items[1].(*fennel.String); ok && s.Value == key.first {
				exact = append(exact, list)
			}
			if s, ok := list.Items[0].(*fennel.Symbol); ok && (s.Name == name || strings.HasSuffix(s.Name, "."+name)) {
				alike = append(alike, list)
			}
		})
	}
	switch {
	case nth < len(exact):
		c.form = exact[nth]
	case len(alike) == 1:
		c.form = alike[0]
	}
	if c.form != nil {
		c.column = c.form.Column
	}
	return c
}

// walk calls f for each list in a form.
func walk(n fennel.Node, f func(*fennel.List)) {
	switch n := n.(type) {
	case *fennel.List:
		f(n)
		for _, item := range n.Items {
			walk(item, f)
		}
	case *fennel.Sequence:
		for _, item := range n.Items {
			walk(item, f)
		}
	case *fennel.Table:
		for i := range n.Keys {
			walk(n.Keys[i], f)
			walk(n.Values[i], f)
		}
	}
}

// problem returns a diagnostic at the call.
func (c call) problem(format string, args ...any) diag.Diagnostic {
	return c.file.diagnostic(c.line, c.column, format, args...)
}

// problemAt returns a diagnostic at a part of the call, or at the call if part is nil.
func (c call) problemAt(part fennel.Node, format string, args ...any) diag.Diagnostic {
	if part == nil {
		return c.problem(format, args...)
	}
	at := part.Pos()
	return c.file.diagnostic(at.Line, at.Column, format, args...)
}

// arg returns the nth argument, counted from 1, as written.
func (c call) arg(n int) fennel.Node {
	if c.form == nil || n >= len(c.form.Items) {
		return nil
	}
	return c.form.Items[n]
}

// element returns the ith element, counted from 1, of a literal sequence, otherwise all
// of sequence.
func element(sequence fennel.Node, i int) fennel.Node {
	if s, ok := sequence.(*fennel.Sequence); ok && i <= len(s.Items) {
		return s.Items[i-1]
	}
	return sequence
}

// field returns a key of a table literal and its value. If there is no literal or no such
// key, it returns the whole table twice.
func field(table fennel.Node, name string) (key, value fennel.Node) {
	if t, ok := table.(*fennel.Table); ok {
		for i, k := range t.Keys {
			if s, ok := k.(*fennel.String); ok && s.Value == name {
				return k, t.Values[i]
			}
		}
	}
	return table, table
}
