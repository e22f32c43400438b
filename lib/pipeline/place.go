package pipeline

import (
	"cmp"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"quire/lib/diag"
	"quire/lib/fennel"
	"quire/lib/vm"
)

// A call is one call of a function of quire.ci: its place and, if it is Fennel and can be
// found, its source. Lua knows only the line.
type call struct {
	file   *file
	line   int
	column int
	form   *fennel.List // nil if unknown
}

// callOf finds the call that contains l, of the function name with the first argument
// first. nth tells apart calls on one line that look the same.
func (t *tree) callOf(l *lua.LState, name, first string, nth int) call {
	source, line := vm.Caller(l)
	f := t.files[source]
	if f == nil {
		return call{file: &file{name: source}, line: line}
	}
	c := call{file: f, line: line, column: f.indent(line)}
	var exact, alike []*fennel.List
	for _, form := range f.forms {
		walk(form, func(list *fennel.List) {
			if list.Line != line || len(list.Items) < 2 {
				return
			}
			if s, ok := list.Items[1].(*fennel.String); ok && s.Value == first {
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

// sortByPlace sorts diagnostics by file and line.
func sortByPlace(list diag.List) {
	slices.SortStableFunc(list, func(a, b diag.Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}
