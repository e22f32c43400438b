// Package text prepares text that quire did not write, so that it can be shown or stored
// safely: in an error, a diagnostic, a terminal, a shell, a field of a record.
//
// File names, refs, messages and output come from pushers. They may hold any byte, such
// as a line break that would begin a false record, or an escape sequence that would
// drive the terminal of the reader. There is one function for each purpose:
//
//   - Line for a diagnostic, which is one line: bad characters become '?'.
//   - Terminal for a log, which keeps its lines and colours: the rest becomes '?'.
//   - Escape for a record, which must give back the same bytes.
//   - Quote for a command that a shell can read, QuoteLine if it must be one line.
package text

import (
	"strings"
	"unicode/utf8"
)

// Line returns s as part of one line: each line break or tab is a space, and each other
// control character or invalid byte is '?'. The number of characters stays the same, so
// a caret below the line still points at the right one.
func Line(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\r', r == '\t':
			return ' '
		case isControl(r), r == utf8.RuneError:
			return '?'
		}
		return r
	}, s)
}

// Cut returns s if it has at most most bytes. Otherwise it returns the characters that
// fit into most bytes, followed by "...".
func Cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "..."
}

// isControl reports whether r may change more of a screen than its own cell. These are
// the C0 and C1 sets of ECMA-48 with DEL, which a terminal obeys, and of Unicode the line
// and paragraph separators and the characters that reorder text (UAX #9).
func isControl(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 ||
		r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x061c
}
