package fennel

import (
	"strings"
)

// A Position is the place in the source where a node begins.
type Position struct {
	Line   int // 1-based; 0 where a macro made the node out of nothing
	Column int // 1-based, in characters; 0 where only the line is known

	src *source
}

// Pos returns p itself, which makes everything that embeds a Position a Node.
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
func (s *source) line(n int) string {
	for text := range strings.Lines(s.text) {
		if n--; n == 0 {
			return strings.TrimRight(text, "\r\n")
		}
	}
	return ""
}

// startOf returns the place of the first character of line n that is not blank.
func (s *source) startOf(n int) Position {
	text := s.line(n)
	return Position{Line: n, Column: 1 + len(text) - len(strings.TrimLeft(text, " \t")), src: s}
}

// A Node is one form of Fennel as the reader gives it. The types that implement
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

	// A String is a text literal, "quoted" or :short. Value is what it stands
	// for, its escapes resolved.
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

	// A Table is { }, its pairs in the order of the source. The shorthand
	// {: name} is given as the String "name" and the Symbol.
	Table struct {
		Position
		Keys, Values []Node
	}
)

// parts splits a symbol into its fields and says whether the last one is
// called as a method. A symbol that is no path, or one that only looks like it
// ("..", ".x", "x."), is a single part.
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
	switch last := name[len(name)-1]; {
	case name[0] == '.' || name[0] == ':', last == '.' || last == ':':
		return false
	}
	return true
}

// isSym reports whether n is the symbol of that name.
func isSym(n Node, name string) bool {
	s, ok := n.(*Symbol)
	return ok && s.Name == name
}

// isNil reports whether n is the literal nil.
func isNil(n Node) bool { return isSym(n, "nil") }

// callOf returns n as a list whose head is the symbol of that name.
func callOf(n Node, name string) (*List, bool) {
	l, ok := n.(*List)
	return l, ok && len(l.Items) > 0 && isSym(l.Items[0], name)
}

// isTable reports whether n is a sequence or a table.
func isTable(n Node) bool {
	switch n.(type) {
	case *Sequence, *Table:
		return true
	}
	return false
}
