package vm

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// specials are the characters that have a special meaning in a pattern.
const specials = "^$*+?.([%-"

const (
	maxCaptures = 32    // LUA_MAXCAPTURES
	maxMatching = 5_000 // how deep match may recurse: once for each item of the pattern
)

// Special values of a capture's length.
const (
	open       = -1 // its ')' has not been reached
	isPosition = -2 // it is '()', and captures an index
)

// A matcher matches one pattern of section 5.4.1 of the Lua manual against one
// string, by backtracking. Some patterns take exponential time, so it counts its work.
// Offsets are from 0.
type matcher struct {
	l        *lua.LState
	call     *call
	src      string
	pattern  string // without its '^'
	anchored bool
	captures []capture
	depth    int
}

type capture struct{ start, length int }

func newMatcher(l *lua.LState, src, pattern string) *matcher {
	m := &matcher{l: l, call: callOf(l), src: src}
	m.pattern, m.anchored = strings.CutPrefix(pattern, "^")
	return m
}

// search finds the first match that begins at offset at or, unless the pattern is
// anchored, after it.
func (m *matcher) search(at int) (first, end int, ok bool) {
	for ; at <= len(m.src); at++ {
		if end, ok := m.matchAt(at); ok {
			return at, end, true
		}
		if m.anchored {
			break
		}
	}
	return 0, 0, false
}

// matchAt matches the whole pattern at an offset and returns the match's end.
func (m *matcher) matchAt(at int) (end int, ok bool) {
	m.captures = m.captures[:0]
	return m.match(at, 0)
}

// match matches the pattern from p on at offset s.
func (m *matcher) match(s, p int) (end int, ok bool) {
	if m.depth++; m.depth > maxMatching {
		raiseError(m.l, "pattern too complex")
	}
	defer func() { m.depth-- }()
	for {
		m.spend(stepsOfMatch)
		if p == len(m.pattern) {
			return s, true
		}
		switch c := m.pattern[p]; {
		case c == '(':
			return m.openCapture(s, p)
		case c == ')':
			return m.closeCapture(s, p)
		case c == '$' && p+1 == len(m.pattern):
			return s, s == len(m.src)
		case c == '%' && p+1 < len(m.pattern):
			switch d := m.pattern[p+1]; {
			case d == 'b':
				if s, ok = m.balanced(s, p+2); !ok {
					return 0, false
				}
				p += 4
				continue
			case d == 'f':
				if p, ok = m.frontier(s, p+2); !ok {
					return 0, false
				}
				continue
			case d >= '0' && d <= '9':
				if s, ok = m.again(s, d); !ok {
					return 0, false
				}
				p += 2
				continue
			}
		}
		next := m.classEnd(p)
		var repeat byte
		if next < len(m.pattern) {
			repeat = m.pattern[next]
		}
		switch repeat {
		case '*':
			return m.most(s, p, next, 0)
		case '+':
			return m.most(s, p, next, 1)
		case '-':
			return m.least(s, p, next)
		case '?':
			if m.single(s, p, next) {
				if end, ok := m.match(s+1, next+1); ok {
					return end, true
				}
			}
			p = next + 1
		default:
			if !m.single(s, p, next) {
				return 0, false
			}
			s, p = s+1, next
		}
	}
}

// stepsOfMatch is the cost of matching one item of a pattern.
const stepsOfMatch = 16

// spend counts work, in bytes that are examined.
func (m *matcher) spend(steps int) { m.call.spend(m.l, steps) }

// most matches the class between p and next as often as possible, and at least fewest
// times, and then the rest of the pattern.
func (m *matcher) most(s, p, next, fewest int) (end int, ok bool) {
	n := 0
	for m.single(s+n, p, next) {
		n++
		m.spend(1)
	}
	for ; n >= fewest; n-- {
		if end, ok := m.match(s+n, next+1); ok {
			return end, true
		}
	}
	return 0, false
}

// least matches the class as few times as possible, and then the rest of the pattern.
func (m *matcher) least(s, p, next int) (end int, ok bool) {
	for {
		if end, ok := m.match(s, next+1); ok {
			return end, true
		}
		if !m.single(s, p, next) {
			return 0, false
		}
		s++
	}
}

func (m *matcher) openCapture(s, p int) (end int, ok bool) {
	if len(m.captures) == maxCaptures {
		raiseError(m.l, "too many captures")
	}
	c, p := capture{s, open}, p+1
	if p < len(m.pattern) && m.pattern[p] == ')' {
		c.length, p = isPosition, p+1
	}
	n := len(m.captures)
	m.captures = append(m.captures, c)
	if end, ok = m.match(s, p); !ok {
		m.captures = m.captures[:n]
	}
	return end, ok
}

func (m *matcher) closeCapture(s, p int) (end int, ok bool) {
	i := len(m.captures) - 1
	for i >= 0 && m.captures[i].length != open {
		i--
	}
	if i < 0 {
		raiseError(m.l, "invalid pattern capture")
	}
	m.captures[i].length = s - m.captures[i].start
	if end, ok = m.match(s, p+1); !ok {
		m.captures[i].length = open
	}
	return end, ok
}

// balanced matches %bxy, whose x and y are at p.
func (m *matcher) balanced(s, p int) (end int, ok bool) {
	if p+1 >= len(m.pattern) {
		raiseError(m.l, "unbalanced pattern")
	}
	x, y := m.pattern[p], m.pattern[p+1]
	if s >= len(m.src) || m.src[s] != x {
		return 0, false
	}
	for i, nested := s+1, 1; i < len(m.src); i++ {
		m.spend(1)
		switch m.src[i] {
		case y:
			if nested--; nested == 0 {
				return i + 1, true
			}
		case x:
			nested++
		}
	}
	return 0, false
}

// frontier matches %f, whose set begins at p, and returns the offset after the set. It
// matches between a character outside the set and one in it; the ends of the string count
// as zero bytes.
func (m *matcher) frontier(s, p int) (next int, ok bool) {
	if p >= len(m.pattern) || m.pattern[p] != '[' {
		raiseError(m.l, "missing '[' after '%%f' in pattern")
	}
	next = m.classEnd(p)
	var before, after byte
	if s > 0 {
		before = m.src[s-1]
	}
	if s < len(m.src) {
		after = m.src[s]
	}
	return next, !m.inSet(before, p, next-1) && m.inSet(after, p, next-1)
}

// again matches the text of an earlier capture: %1 to %9.
func (m *matcher) again(s int, digit byte) (end int, ok bool) {
	i := int(digit) - '1'
	if i < 0 || i >= len(m.captures) || m.captures[i].length < 0 {
		raiseError(m.l, "invalid capture index")
	}
	text := m.src[m.captures[i].start:][:m.captures[i].length]
	m.spend(len(text) / 8)
	return s + len(text), strings.HasPrefix(m.src[s:], text)
}

// captured returns the values of the captures.
func (m *matcher) captured() []lua.LValue {
	values := make([]lua.LValue, len(m.captures))
	for i, c := range m.captures {
		switch c.length {
		case open:
			raiseError(m.l, "unfinished capture")
		case isPosition:
			values[i] = lua.LNumber(c.start + 1)
		default:
			values[i] = lua.LString(m.src[c.start:][:c.length])
		}
	}
	return values
}

// capturedOr returns the captures, or the whole match if there are none.
func (m *matcher) capturedOr(first, end int) []lua.LValue {
	if len(m.captures) == 0 {
		return []lua.LValue{lua.LString(m.src[first:end])}
	}
	return m.captured()
}
