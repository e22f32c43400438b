package fennel

import (
	"strconv"
	"strings"
)

// What the built-in macros build trees with. Each node takes the position of
// the form it is made for, so that errors and lines point at the source.

func symbol(at Node, name string) *Symbol {
	return &Symbol{Position: at.Pos(), Name: name}
}

// list makes a call of the form, macro or function of that name.
func list(at Node, head string, args ...Node) *List {
	return &List{at.Pos(), append([]Node{symbol(at, head)}, args...)}
}

func sequence(at Node, items ...Node) *Sequence {
	return &Sequence{at.Pos(), items}
}

func text(at Node, s string) *String { return &String{at.Pos(), s} }

func number(at Node, v int) *Number { return &Number{at.Pos(), float64(v)} }

// gensym makes a symbol that is different from all others: its name holds a space, which
// the reader never puts into one.
func (c *compiler) gensym(at Node, base string) *Symbol {
	c.temporaries++
	return &Symbol{Position: at.Pos(), Name: base + " " + strconv.Itoa(c.temporaries)}
}

// readable writes the name of a gensym as one that could be read again.
func readable(name string) string { return strings.ReplaceAll(name, " ", "_") }

// spliced returns n as a list with x put in at index i, -1 meaning at its end.
// What is no list is called: x is its argument.
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
