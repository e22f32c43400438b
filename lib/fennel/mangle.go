package fennel

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

func isLuaKeyword(s string) bool {
	switch s {
	case "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local",
		"nil", "not", "or", "repeat", "return", "then", "true", "until", "while":
		return true
	}
	return false
}

// isLuaName reports whether s is a Lua identifier.
func isLuaName(s string) bool {
	isOther := func(r rune) bool { return r > 127 || !luaNameByte(byte(r)) }
	return s != "" && !isLuaKeyword(s) && (s[0] < '0' || s[0] > '9') && !strings.ContainsFunc(s, isOther)
}

func luaNameByte(b byte) bool {
	return b == '_' || (b >= '0' && b <= '9') || (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z')
}

// mangle turns a Fennel name into a Lua identifier. A hyphen, and the space of a gensym,
// becomes an underscore; any other byte that Lua does not accept becomes _ and two hex
// digits. No mangled name has the form of a temporary, such as _1_.
func mangle(name string) string {
	if isLuaKeyword(name) || (name[0] >= '0' && name[0] <= '9') {
		name = "_" + name
	}
	if isLuaName(name) && !isTemporary(name) {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case luaNameByte(c):
			b.WriteByte(c)
		case c == '-' || c == ' ':
			b.WriteByte('_')
		default:
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	mangled := b.String()
	if isTemporary(mangled) {
		mangled += "0"
	}
	return mangled
}

// isTemporary reports whether a Lua name has the form that temporary gives: digits between
// two underscores.
func isTemporary(name string) bool {
	n := len(name)
	return n > 2 && name[0] == '_' && name[n-1] == '_' && strings.Trim(name[1:n-1], "0123456789") == ""
}

// temporary returns a Lua name that is used nowhere else in the output.
func (c *compiler) temporary() string {
	c.temporaries++
	return "_" + strconv.Itoa(c.temporaries) + "_"
}

// quoteLua returns s as a string literal of Lua 5.1 on one line. UTF-8 text stays readable;
// other bytes become escapes of three digits, so that a digit may follow.
func quoteLua(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for rest := s; rest != ""; {
		_, size := utf8.DecodeRuneInString(rest)
		r := rest[:size] // a character, or a byte that is not UTF-8
		rest = rest[size:]
		switch {
		case r == "\n":
			b.WriteString(`\n`)
		case r == "\t":
			b.WriteString(`\t`)
		case r == "\r":
			b.WriteString(`\r`)
		case r == `"` || r == `\`:
			b.WriteString(`\` + r)
		case len(r) > 1 || (r[0] >= ' ' && r[0] < 127):
			b.WriteString(r)
		default:
			fmt.Fprintf(&b, `\%03d`, r[0])
		}
	}
	b.WriteByte('"')
	return b.String()
}

// numberLua returns v as a Lua expression for the same number.
func numberLua(v float64) string {
	switch {
	case math.IsNaN(v):
		return "(0/0)"
	case math.IsInf(v, 1):
		return "(1/0)"
	case math.IsInf(v, -1):
		return "(-1/0)"
	case v == 0 && math.Signbit(v):
		return "-0.0"
	case v == float64(int64(v)) && v > -1e15 && v < 1e15:
		return strconv.FormatInt(int64(v), 10)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
