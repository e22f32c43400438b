package vm

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// stringFormat formats like C's printf. Like in Lua, widths and precisions have at most
// two digits.
func stringFormat(l *lua.LState) int {
	format := checkString(l, 1)
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
		checkAlloc(l, uint64(b.Len()))
		callOf(l).spend(l, stepsOfValue)
	}
	return Push(l, lua.LString(b.String()))
}

// A verb is one conversion of a format, without its '%'.
type verb struct {
	flags, width, precision string // precision begins with '.'
	letter                  byte
	length                  int
}

func parseVerb(l *lua.LState, s string) verb {
	var v verb
	rest := s
	take := func(set string, most int) string {
		n := min(len(rest)-len(strings.TrimLeft(rest, set)), most)
		taken := rest[:n]
		rest = rest[n:]
		return taken
	}
	const digits = "0123456789"
	const flags = "-+ #0"
	if v.flags = take(flags, 5); rest != "" && strings.IndexByte(flags, rest[0]) >= 0 {
		raiseError(l, "invalid format (repeated flags)")
	}
	v.width = take(digits, 2)
	if v.precision = take(".", 1); v.precision != "" {
		v.precision += take(digits, 2)
	}
	if rest != "" && strings.IndexByte(digits, rest[0]) >= 0 {
		raiseError(l, "invalid format (width or precision too long)")
	}
	v.length = len(s) - len(rest)
	if rest != "" { // otherwise the letter is 0, which no conversion has
		v.letter = rest[0]
		v.length++
	}
	return v
}

func (v verb) format(l *lua.LState, arg int) string {
	if arg > l.GetTop() {
		argError(l, arg, "no value")
	}
	switch v.letter {
	case 'd', 'i':
		return v.signed(int64(checkNumber(l, arg)))
	case 'u', 'o', 'x', 'X':
		return v.unsigned(checkNumber(l, arg))
	case 'c':
		return v.pad(string([]byte{byte(checkInt(l, arg))}))
	case 'e', 'E', 'f', 'g', 'G':
		return v.float(float64(checkNumber(l, arg)))
	case 'q':
		return `"` + quoter.Replace(checkString(l, arg)) + `"`
	case 's':
		s, ok := textOf(l, l.Get(arg)).(lua.LString)
		if !ok {
			argError(l, arg, "'tostring' must return a string")
		}
		if digits, ok := strings.CutPrefix(v.precision, "."); ok {
			n, _ := strconv.Atoi(digits) // none mean 0
			s = s[:min(n, len(s))]
		}
		return v.pad(string(s))
	}
	raiseError(l, "invalid option '%%%s' to 'format'", strings.Trim(string(v.letter), "\x00"))
	return ""
}

func (v verb) signed(n int64) string {
	return fmt.Sprintf("%"+v.flags+v.width+v.precision+"d", n)
}

// unsigned prints a negative number by its two's complement, as C does. The flags for signs
// have no effect, nor has '#' for zero.
func (v verb) unsigned(number lua.LNumber) string {
	n := uint64(number)
	if number < 0 {
		n = uint64(int64(number))
	}
	flags, letter := strings.NewReplacer("+", "", " ", "").Replace(v.flags), v.letter
	if letter == 'u' || n == 0 {
		flags = strings.ReplaceAll(flags, "#", "")
	}
	if letter == 'u' {
		letter = 'd'
	}
	return fmt.Sprintf("%"+flags+v.width+v.precision+string(letter), n)
}

func (v verb) float(n float64) string {
	if math.IsInf(n, 0) || math.IsNaN(n) {
		return v.pad(v.notFinite(n))
	}
	precision := v.precision
	if precision == "" {
		precision = ".6"
	}
	return fmt.Sprintf("%"+v.flags+v.width+precision+string(v.letter), n)
}

// notFinite prints the sign of NaN too, as C does.
func (v verb) notFinite(n float64) string {
	s := "inf"
	if math.IsNaN(n) {
		s = "nan"
	}
	if v.letter < 'a' {
		s = strings.ToUpper(s)
	}
	switch {
	case math.Signbit(n):
		return "-" + s
	case strings.Contains(v.flags, "+"):
		return "+" + s
	case strings.Contains(v.flags, " "):
		return " " + s
	}
	return s
}

// pad pads s to the width, which counts bytes.
func (v verb) pad(s string) string {
	n, _ := strconv.Atoi(v.width) // none is 0
	fill := strings.Repeat(" ", max(n-len(s), 0))
	if strings.Contains(v.flags, "-") {
		return s + fill
	}
	return fill + s
}

// quoter escapes a text so that any Lua reads it back between double quotes.
var quoter = strings.NewReplacer(`"`, `\"`, `\`, `\\`, "\n", "\\\n", "\r", `\r`, "\x00", `\000`)
