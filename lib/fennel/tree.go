package fennel

import (
	"strconv"
	"strings"
)

// The built-in macros build trees with these functions. Each node has the position of the
// form that it replaces, so that errors and lines point at the source.

func symbol(at Node, name string) *Symbol {
	return &Symbol{Position: at.Pos(), Name: name}
}

// list makes a call of the form, macro or function with that name.
func list(at Node, head string, args ...Node) *List {
	return &List{at.Pos(), append([]Node{symbol(at, head)}, args...)}
}

func sequence(at Node, items ...Node) *Sequence {
	return &Sequence{at.Pos(), items}
}

func text(at Node, s string) *String { return &String{at.Pos(), s} }

func number(at Node, v int) *Number { return &Number{at.Pos(), float64(v)} }

// gensym makes a symbol that differs from all others: its name contains a space, which
// names from the reader never do.
func (c *compiler) gensym(at Node, base string) *Symbol {
	c.temporaries++
	return &Symbol{Position: at.Pos(), Name: base + " " + strconv.Itoa(c.temporaries)}
}

// readable converts the name of a gensym to a name that can be read.
func readable(name string) string { return strings.ReplaceAll(name, " ", "_") }

// spliced returns the list n with x inserted at index i, or at its end if i is -1. If n is
// not a list, it returns a call of n with the argument x.
func spliced(n, x Node, i int) *List {
	l, ok := n.(*List)
	if !ok {
		return &List{n.Pos(), []Node{n, x}}
	}
	if i < 0 || i > len(l.Items) {
		i = len(l.Items)
	}
	items := append(l.Items[:i:i], x)
	return &List{l.Position, append(items, l.Items[i:]...)}
}
