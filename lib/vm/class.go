package vm

import "strings"

// The character classes of a pattern are a character, '.', %x and a [set].

// classEnd returns the offset after the class that begins at p.
func (m *matcher) classEnd(p int) int {
	c := m.pattern[p]
	p++
	switch c {
	case '%':
		if p == len(m.pattern) {
			raiseError(m.l, "malformed pattern (ends with '%%')")
		}
		return p + 1
	case '[':
		if p < len(m.pattern) && m.pattern[p] == '^' {
			p++
		}
		begin := p
		for first := true; ; first = false { // a ']' at the beginning is a character
			if p >= len(m.pattern) {
				raiseError(m.l, "malformed pattern (missing ']')")
			}
			c := m.pattern[p]
			p++
			switch {
			case c == '%' && p < len(m.pattern):
				p++
			case c == ']' && !first:
				m.spend(p - begin)
				return p
			}
		}
	}
	return p
}

// single reports whether the class between p and next matches the character at s.
func (m *matcher) single(s, p, next int) bool {
	if s >= len(m.src) {
		return false
	}
	c := m.src[s]
	switch m.pattern[p] {
	case '.':
		return true
	case '%':
		return isClass(c, m.pattern[p+1])
	case '[':
		return m.inSet(c, p, next-1)
	}
	return m.pattern[p] == c
}

// inSet reports whether c is in the set whose '[' is at p and whose ']' is at last.
func (m *matcher) inSet(c byte, p, last int) bool {
	p++
	not := m.pattern[p] == '^'
	if not {
		p++
	}
	m.spend(last - p)
	for ; p < last; p++ {
		d := m.pattern[p]
		switch {
		case d == '%' && p+1 < last:
			p++
			if isClass(c, m.pattern[p]) {
				return !not
			}
		case p+2 < last && m.pattern[p+1] == '-':
			if d <= c && c <= m.pattern[p+2] {
				return !not
			}
			p += 2
		case d == c:
			return !not
		}
	}
	return not
}

// isClass reports whether c is in the class %class, in the C locale.
func isClass(c, class byte) bool {
	lower := class | 0x20
	var in bool
	switch lower {
	case 'a':
		in = isLetter(c)
	case 'c':
		in = c < ' ' || c == 0x7f
	case 'd':
		in = isDigit(c)
	case 'l':
		in = c >= 'a' && c <= 'z'
	case 'p':
		in = c > ' ' && c < 0x7f && !isLetter(c) && !isDigit(c)
	case 's':
		in = c == ' ' || c >= '\t' && c <= '\r'
	case 'u':
		in = c >= 'A' && c <= 'Z'
	case 'w':
		in = isLetter(c) || isDigit(c)
	case 'x':
		in = strings.IndexByte("0123456789abcdefABCDEF", c) >= 0
	case 'z':
		in = c == 0
	default:
		return class == c
	}
	if !isLetter(class) {
		return class == c // such as '\x41'|0x20, which is no letter
	}
	return in == (class == lower)
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
