package text

import (
	"strings"
	"unicode/utf8"
)

// Overwritten returns a line of output as a terminal shows it in the end: carriage returns
// and backspaces, which progress bars use, have moved back, and the characters that
// follow have overwritten others. Colours stay, unless something was overwritten, and end
// with the line. Each other control character or invalid byte is '?'.
func Overwritten(line string) string {
	line = strings.TrimRight(line, "\r")
	if !strings.ContainsAny(line, "\r\b") {
		return cleanLine(line)
	}
	var cells []rune
	at := 0
	for line != "" {
		if line[0] == 0x1b {
			n, erase := sequence(line)
			switch erase {
			case "K", "0K":
				cells = cells[:min(at, len(cells))]
			case "2K":
				cells = cells[:0]
			}
			line = line[n:]
			continue
		}
		r, n := utf8.DecodeRuneInString(line)
		line = line[n:]
		switch {
		case r == '\r':
			at = 0
			continue
		case r == '\b':
			at = max(0, at-1)
			continue
		case r != '\t' && isUnsafe(r, n):
			r = '?'
		}
		for len(cells) <= at {
			cells = append(cells, ' ')
		}
		cells[at] = r
		at++
	}
	return strings.TrimRight(string(cells), " ")
}

// IsPlain reports whether s consists of printable ASCII characters and tabs, which all
// functions of this package that show a line leave as they are.
func IsPlain(s []byte) bool {
	for _, c := range s {
		if (c < ' ' || c > '~') && c != '\t' {
			return false
		}
	}
	return true
}

// cleanLine returns a line with its colours, and with '?' for other control characters and
// invalid bytes.
func cleanLine(line string) string {
	if !strings.ContainsFunc(line, func(r rune) bool { return r == utf8.RuneError || r != '\t' && isControl(r) }) {
		return line
	}
	var out strings.Builder
	colours := false
	for line != "" {
		if n, whole := colour([]byte(line[:min(len(line), maxColour)])); whole {
			colours = true
			out.WriteString(line[:n])
			line = line[n:]
			continue
		}
		r, n := utf8.DecodeRuneInString(line)
		if r != '\t' && isUnsafe(r, n) {
			out.WriteByte('?')
		} else {
			out.WriteString(line[:n])
		}
		line = line[n:]
	}
	if colours {
		out.WriteString("\x1b[0m")
	}
	return out.String()
}

// sequence returns the length of the control sequence (ECMA-48, 5.4) at the start of s, and
// its parameters and final byte. If s does not begin with a valid sequence, the length is 1,
// for the escape character.
func sequence(s string) (n int, text string) {
	if len(s) < 2 || s[1] != '[' {
		return 1, ""
	}
	for i := 2; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 0x40 && c < 0x7f:
			return i + 1, s[2 : i+1]
		case c < 0x20 || c >= 0x7f:
			return i, ""
		}
	}
	return len(s), ""
}

// Plain returns s without its control sequences, such as colours.
func Plain(s string) string {
	var out strings.Builder
	for {
		before, _, found := strings.Cut(s, "\x1b")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		s = s[len(before):]
		n, _ := sequence(s)
		s = s[n:]
	}
}
