package fennel

import (
	"slices"
	"strings"

	"quire/lib/diag"
)

// A Position is the line and column of the source at which a node begins.
type Position struct {
	Line   int // 1-based; 0 for a node that a macro made
	Column int // 1-based, in characters; 0 if only the line is known

	src *source
}

// Pos returns p itself, so that every type that embeds a Position is a Node.
func (p Position) Pos() Position { return p }

// File returns the name of the file p points into, as it was given to the
// compiler or by the searcher of a macro module.
func (p Position) File() string {
	if p.src == nil {
		return ""
	}
	return p.src.name
}

// source is one file the compiler has read.
type source struct {
	name string
	text string
}

// line returns line n, counted from 1, without its ending.
func (s *source) line(n int) string { return diag.SourceLine([]byte(s.text), n) }

// startOf returns the position of the first character of line n that is not blank.
func (s *source) startOf(n int) Position {
	text := s.line(n)
	return Position{Line: n, Column: 1 + len(text) - len(strings.TrimLeft(text, " \t")), src: s}
}

// A Node is one form of Fennel as the reader returns it. The types that implement
// it are *Symbol, *String, *Number, *Bool, *Vararg, *List, *Sequence and *Table.
type Node interface {
	Pos() Position
}

type (
	// A Symbol is a name, a field path such as a.b, or a method such as a:b.
	// The word nil is a symbol too.
	Symbol struct {
		Position
		Name string

		quoted bool // written inside a macro's quote, so it may not be bound
	}

	// A String is a text literal, "quoted" or :short. In Value, escapes are resolved.
	String struct {
		Position
		Value string
	}

	// A Number is a numeric literal.
	Number struct {
		Position
		Value float64
	}

	// A Bool is true or false.
	Bool struct {
		Position
		Value bool
	}

	// A Vararg is the token "...".
	Vararg struct {
		Position
	}

	// A List is ( ), a call of a function, macro or special form.
	List struct {
		Position
		Items []Node
	}

	// A Sequence is [ ].
	Sequence struct {
		Position
		Items []Node
	}

	// A Table is { }, its pairs in the order of the source. The shorthand {: name} has
	// the String "name" as key and the Symbol as value.
	Table struct {
		Position
		Keys, Values []Node
	}
)

// parts splits a symbol into its fields and reports whether the last one is called as a
// method. A symbol that is not a path, or that only looks like one ("..", ".x", "x."), is a
// single part.
func (s *Symbol) parts() (fields []string, method bool) {
	name := s.Name
	if !isMulti(name) {
		return []string{name}, false
	}
	if i := strings.LastIndexByte(name, ':'); i > 0 {
		return append(strings.Split(name[:i], "."), name[i+1:]), true
	}
	return strings.Split(name, "."), false
}

// isMulti reports whether a symbol's name is a path of several parts.
func isMulti(name string) bool {
	if !strings.ContainsAny(name, ".:") || name == ".." || name == "..." || name == "$..." {
		return false
	}
	return strings.Trim(name, ".:") == name
}

// isSym reports whether n is the symbol with that name.
func isSym(n Node, name string) bool {
	s, ok := n.(*Symbol)
	return ok && s.Name == name
}

// isNil reports whether n is the literal nil.
func isNil(n Node) bool { return isSym(n, "nil") }

// callOf returns n as a list whose head is the symbol with that name.
func callOf(n Node, name string) (*List, bool) {
	l, ok := n.(*List)
	return l, ok && len(l.Items) > 0 && isSym(l.Items[0], name)
}

// children returns the forms directly inside n; for a table, the keys and then the values.
func children(n Node) []Node {
	switch n := n.(type) {
	case *List:
		return n.Items
	case *Sequence:
		return n.Items
	case *Table:
		return slices.Concat(n.Keys, n.Values)
	}
	return nil
}

// isTable reports whether n is a sequence or a table.
func isTable(n Node) bool {
	switch n.(type) {
	case *Sequence, *Table:
		return true
	}
	return false
}
