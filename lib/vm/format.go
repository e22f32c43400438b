package vm

import (
	"fmt"
	"math"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// stringFormat formats as C's printf does, with widths and precisions of at most
// two digits, as in Lua.
func stringFormat(l *lua.LState) int {
	format := l.CheckString(1)
	var b strings.Builder
	arg := 1
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		if i++; i < len(format) && format[i] == '%' {
			b.WriteByte('%')
			continue
		}
		verb := parseVerb(l, format[i:])
		i += verb.length - 1
		arg++
		b.WriteString(verb.format(l, arg))
		room(l, uint64(b.Len()))
	}
	l.Push(lua.LString(b.String()))
	return 1
}

// A verb is one conversion of a format, without its '%'.
type verb struct {
	flags, width, precision string // precision with its point
	letter                  byte
	length                  int
}

func parseVerb(l *lua.LState, s string) verb {
	var v verb
	rest := s
	take := func(set string, most int) string {
		n := 0
		for n < len(rest) && n < most && strings.IndexByte(set, rest[n]) >= 0 {
			n++
		}
		taken := rest[:n]
		rest = rest[n:]
		return taken
	}
	const digits = "0123456789"
	v.flags = take("-+ #0", 5)
	v.width = take(digits, 2)
	if v.precision = take(".", 1); v.precision != "" {
		v.precision += take(digits, 2)
	}
	if rest == "" || strings.IndexByte(digits, rest[0]) >= 0 {
		l.RaiseError("invalid format (width or precision too long, or no conversion)")
	}
	v.letter = rest[0]
	v.length = len(s) - len(rest) + 1
	return v
}

func (v verb) format(l *lua.LState, arg int) string {
	switch v.letter {
	case 'd', 'i':
		return v.integer(int64(l.CheckNumber(arg)), 'd')
	case 'u':
		return v.integer(int64(l.CheckNumber(arg)), 'd')
	case 'o', 'x', 'X':
		return v.integer(int64(l.CheckNumber(arg)), v.letter)
	case 'c':
		return v.pad(string([]byte{byte(l.CheckInt(arg))}))
	case 'e', 'E', 'f', 'g', 'G':
		return v.float(float64(l.CheckNumber(arg)))
	case 'q':
		return quoted(l.CheckString(arg))
	case 's':
		s := l.ToStringMeta(l.CheckAny(arg)).String()
		if n, ok := v.number(v.precision); ok && n < len(s) {
			s = s[:n]
		}
		return v.pad(s)
	}
	l.RaiseError("invalid conversion '%%%c' to 'format'", v.letter)
	return ""
}

// integer prints hexadecimal and octal of a negative number as C does, by its
// two's complement.
func (v verb) integer(n int64, letter byte) string {
	spec := "%" + v.flags + v.width + v.precision + string(letter)
	if letter == 'd' {
		return fmt.Sprintf(spec, n)
	}
	return fmt.Sprintf(spec, uint64(n))
}

func (v verb) float(n float64) string {
	if math.IsInf(n, 0) || math.IsNaN(n) {
		s := strings.ToLower(strings.TrimPrefix(fmt.Sprint(n), "+"))
		if strings.Contains(v.flags, "+") && n > 0 {
			s = "+" + s
		}
		return v.pad(s)
	}
	precision := v.precision
	if precision == "" {
		precision = ".6"
	}
	return fmt.Sprintf("%"+v.flags+v.width+precision+string(v.letter), n)
}

// pad fills s up to the width, which counts bytes.
func (v verb) pad(s string) string {
	n, _ := v.number("." + v.width)
	fill := strings.Repeat(" ", max(n-len(s), 0))
	if strings.Contains(v.flags, "-") {
		return s + fill
	}
	return fill + s
}

// number returns the digits behind a point, none meaning 0.
func (v verb) number(s string) (n int, ok bool) {
	if !strings.HasPrefix(s, ".") {
		return 0, false
	}
	for _, c := range s[1:] {
		n = n*10 + int(c-'0')
	}
	return n, true
}

// quoted returns s as a Lua string that any Lua reads back.
func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\', '\n':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\r':
			b.WriteString(`\r`)
		case 0:
			b.WriteString(`\000`)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
