package runstore

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Escape returns s as it is shown in a line, see quire-run(5), "Escapes".
func Escape(s string) string { return escape(s, 0) }

// escape returns s as it is written in files and record lines, see quire-run(5),
// "Escapes". The byte also, such as a space that separates, is escaped too; 0 is
// escaped anyway.
func escape(s string, also byte) string {
	if isPlain(s, also) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch c := s[i]; {
		case c == '\\':
			b.WriteString(`\\`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case mustEscape(r, size) || c == also:
			for _, c := range []byte(s[i : i+size]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		default:
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

func isPlain(s string, also byte) bool {
	for i, r := range s {
		if r == '\\' || r == rune(also) {
			return false
		}
		if r < ' ' || r >= 0x7f {
			if _, size := utf8.DecodeRuneInString(s[i:]); mustEscape(r, size) {
				return false
			}
		}
	}
	return true
}

// mustEscape reports whether a character, or a byte that is none, could break a
// line or drive a terminal.
func mustEscape(r rune, size int) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || r == utf8.RuneError && size == 1
}

// unescape returns what escape was given. A backslash that begins none of the
// forms stands for itself.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b = append(b, s[i])
			continue
		}
		switch s[i+1] {
		case '\\':
			b = append(b, '\\')
		case 't':
			b = append(b, '\t')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 'x':
			n, err := strconv.ParseUint(s[min(i+2, len(s)):min(i+4, len(s))], 16, 8)
			if err != nil || i+4 > len(s) {
				b = append(b, s[i])
				continue
			}
			b = append(b, byte(n))
			i += 2
		default:
			b = append(b, s[i])
			continue
		}
		i++
	}
	return string(b)
}

// field returns s as a field of a line with tabs: "-" for no value.
func field(s string) string {
	switch s {
	case "":
		return "-"
	case "-":
		return `\x2d`
	}
	return escape(s, 0)
}

// unfield returns what field was given.
func unfield(s string) string {
	if s == "-" {
		return ""
	}
	return unescape(s)
}
