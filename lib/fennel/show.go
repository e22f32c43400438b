package fennel

import (
	"strconv"
	"strings"
)

// show writes a form as Fennel for messages. It cuts long ones.
func show(n Node) string {
	const longest = 60
	s := []rune(format(n))
	if len(s) > longest {
		return string(s[:longest]) + "..."
	}
	return string(s)
}

// describe returns the kind of a form and its text.
func describe(n Node) string {
	kind := "table"
	switch n.(type) {
	case *Symbol:
		kind = "symbol"
	case *String:
		kind = "string"
	case *Number:
		kind = "number"
	case *Bool:
		kind = "boolean"
	case *List:
		kind = "list"
	case *Vararg:
		kind = "vararg"
	}
	return kind + " " + show(n)
}

// format writes a form as Fennel on one line.
func format(n Node) string {
	var b strings.Builder
	write(&b, n)
	return b.String()
}

func write(b *strings.Builder, n Node) {
	switch n := n.(type) {
	case *Symbol:
		b.WriteString(readable(n.Name))
	case *String:
		b.WriteString(quoteLua(n.Value))
	case *Number:
		b.WriteString(numberFennel(n.Value))
	case *Bool:
		b.WriteString(strconv.FormatBool(n.Value))
	case *Vararg:
		b.WriteString("...")
	case *List:
		writeAll(b, "(", n.Items, ")")
	case *Sequence:
		writeAll(b, "[", n.Items, "]")
	case *Table:
		writeTable(b, n)
	}
}

func writeTable(b *strings.Builder, n *Table) {
	b.WriteByte('{')
	for i, k := range n.Keys {
		if i > 0 {
			b.WriteByte(' ')
		}
		if key, ok := k.(*String); ok && isKeyword(key.Value) {
			b.WriteString(":" + key.Value)
		} else {
			write(b, k)
		}
		b.WriteByte(' ')
		write(b, n.Values[i])
	}
	b.WriteByte('}')
}

func writeAll(b *strings.Builder, open string, items []Node, end string) {
	b.WriteString(open)
	for i, item := range items {
		if i > 0 {
			b.WriteByte(' ')
		}
		write(b, item)
	}
	b.WriteString(end)
}

// numberFennel writes v so that the reader reads the same number.
func numberFennel(v float64) string {
	switch s := numberLua(v); s {
	case "(0/0)":
		return ".nan"
	case "(1/0)":
		return ".inf"
	case "(-1/0)":
		return "-.inf"
	default:
		return s
	}
}
