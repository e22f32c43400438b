package text

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Escape returns s as it is written in files and record lines, see quire-run(5),
// "Escapes". Unescape returns s again.
func Escape(s string) string { return escape(s, 0) }

// EscapeWord is Escape for a value that ends at the next space: it escapes spaces too.
func EscapeWord(s string) string { return escape(s, ' ') }

// escape escapes the byte also, too; 0 is escaped anyway.
func escape(s string, also byte) string {
	if !needsEscape(s, also) {
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
		case isUnsafe(r, size) || c == also:
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

func needsEscape(s string, also byte) bool {
	for i, r := range s {
		if r == '\\' || r == rune(also) || isControl(r) {
			return true
		}
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return true
			}
		}
	}
	return false
}

// isUnsafe reports whether r, decoded from size bytes, is a control character or an
// invalid byte: it could break a line or drive a terminal.
func isUnsafe(r rune, size int) bool { return isControl(r) || r == utf8.RuneError && size == 1 }

// Unescape returns the string that Escape or EscapeWord was given. A backslash that
// begins no escape stands for itself.
func Unescape(s string) string {
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

// Field returns s as a field of a line with tabs: "-" if it is empty, else escaped.
func Field(s string) string {
	switch s {
	case "":
		return "-"
	case "-":
		return `\x2d`
	}
	return Escape(s)
}

// Unfield returns the string that Field was given.
func Unfield(s string) string {
	if s == "-" {
		return ""
	}
	return Unescape(s)
}
