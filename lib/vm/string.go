package vm

import (
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// stringLibrary is the string library of Lua 5.1 without dump, and without gfind, which
// 5.1 had already deprecated.
var stringLibrary = []function{
	{"byte", stringByte}, {"char", stringChar}, {"find", stringFind}, {"format", stringFormat}, {"gmatch", stringGmatch},
	{"gsub", stringGsub}, {"len", stringLen}, {"lower", stringLower}, {"match", stringMatch}, {"rep", stringRep},
	{"reverse", stringReverse}, {"sub", stringSub}, {"upper", stringUpper},
}

func stringLen(l *lua.LState) int {
	return Push(l, lua.LNumber(len(checkString(l, 1))))
}

func stringReverse(l *lua.LState) int {
	b := []byte(checkString(l, 1))
	slices.Reverse(b)
	callOf(l).spend(l, len(b))
	return Push(l, lua.LString(b))
}

func stringSub(l *lua.LState) int {
	s := checkString(l, 1)
	first, last := position(checkInt(l, 2), len(s)), position(optInt(l, 3, -1), len(s))
	first, last = max(first, 1), min(last, len(s))
	if first > last {
		return Push(l, lua.LString(""))
	}
	return Push(l, lua.LString(s[first-1:last]))
}

func stringByte(l *lua.LState) int {
	s := checkString(l, 1)
	first := position(optInt(l, 2, 1), len(s))
	last := position(optInt(l, 3, first), len(s))
	first, last = max(first, 1), min(last, len(s))
	if first > last {
		return 0
	}
	if last-first >= maxUnpack {
		raiseError(l, "string slice too long")
	}
	for i := first; i <= last; i++ {
		l.Push(lua.LNumber(s[i-1]))
	}
	return last - first + 1
}

// position converts an index into a string of n bytes. A negative one counts from the end.
func position(i, n int) int {
	if i < 0 {
		return max(n+i+1, 0)
	}
	return i
}

func stringChar(l *lua.LState) int {
	b := make([]byte, l.GetTop())
	for i := range b {
		c := checkInt(l, i+1)
		if c < 0 || c > 255 {
			argError(l, i+1, "invalid value")
		}
		b[i] = byte(c)
	}
	return Push(l, lua.LString(b))
}

func stringRep(l *lua.LState) int {
	s, n := checkString(l, 1), max(checkInt(l, 2), 0)
	if s == "" {
		n = 0
	}
	n = min(n, 1<<40) // otherwise the product might wrap
	checkAlloc(l, uint64(len(s))*uint64(n))
	callOf(l).spend(l, len(s)*n)
	return Push(l, lua.LString(strings.Repeat(s, n)))
}

// stringLower and stringUpper change only ASCII letters, as Lua does in the C locale.
func stringLower(l *lua.LState) int { return mapBytes(l, 'A', 'Z') }
func stringUpper(l *lua.LState) int { return mapBytes(l, 'a', 'z') }

func mapBytes(l *lua.LState, from, to byte) int {
	b := []byte(checkString(l, 1))
	for i, c := range b {
		if c >= from && c <= to {
			b[i] = c ^ 0x20
		}
	}
	callOf(l).spend(l, len(b))
	return Push(l, lua.LString(b))
}

// stringFind and stringMatch search for a pattern from an index on.
func stringFind(l *lua.LState) int {
	s, pattern := checkString(l, 1), checkString(l, 2)
	at := start(l, len(s))
	if lua.LVAsBool(l.Get(4)) || !strings.ContainsAny(pattern, specials) {
		callOf(l).spend(l, len(s)-at+len(pattern))
		i := strings.Index(s[at:], pattern)
		if i < 0 {
			return Push(l, lua.LNil)
		}
		return Push(l, lua.LNumber(at+i+1), lua.LNumber(at+i+len(pattern)))
	}
	m := newMatcher(l, s, pattern)
	first, end, ok := m.search(at)
	if !ok {
		return Push(l, lua.LNil)
	}
	return Push(l, lua.LNumber(first+1), lua.LNumber(end)) + Push(l, m.captured()...)
}

func stringMatch(l *lua.LState) int {
	s := checkString(l, 1)
	m := newMatcher(l, s, checkString(l, 2))
	first, end, ok := m.search(start(l, len(s)))
	if !ok {
		return Push(l, lua.LNil)
	}
	return Push(l, m.capturedOr(first, end)...)
}

// start returns the third argument, an index, as an offset into a string of n bytes.
func start(l *lua.LState, n int) int {
	return min(max(position(optInt(l, 3, 1), n)-1, 0), n)
}

func stringGmatch(l *lua.LState) int {
	s, pattern := checkString(l, 1), checkString(l, 2)
	at := 0
	l.Push(l.NewFunction(func(l *lua.LState) int {
		m := newMatcher(l, s, pattern)
		m.pattern, m.anchored = pattern, false // in gmatch '^' is an ordinary character
		for ; at <= len(s); at++ {
			if end, ok := m.matchAt(at); ok {
				first := at
				at = max(end, at+1)
				return Push(l, m.capturedOr(first, end)...)
			}
		}
		return 0
	}))
	return 1
}

func stringGsub(l *lua.LState) int {
	s := checkString(l, 1)
	m := newMatcher(l, s, checkString(l, 2))
	replace, most := l.Get(3), optInt(l, 4, len(s)+1)
	switch replace.(type) {
	case lua.LString, lua.LNumber, *lua.LTable, *lua.LFunction:
	default:
		argError(l, 3, "string/function/table expected")
	}
	t := callOf(l)
	t.nest(l)
	defer t.unnest()

	var b strings.Builder
	n, at := 0, 0
	for n < most {
		end, ok := m.matchAt(at)
		if ok {
			n++
			b.WriteString(m.replacement(replace, at, end))
			checkAlloc(l, uint64(b.Len()))
			m.spend(end - at)
		}
		switch {
		case ok && end > at:
			at = end
		case at < len(s):
			b.WriteByte(s[at])
			at++
		default:
			at++
		}
		if at > len(s) || m.anchored {
			break
		}
	}
	if at < len(s) {
		b.WriteString(s[at:])
	}
	return Push(l, lua.LString(b.String()), lua.LNumber(n))
}

// replacement returns the text that gsub puts in place of the match from first to end.
func (m *matcher) replacement(by lua.LValue, first, end int) string {
	l, whole := m.l, m.src[first:end]
	var value lua.LValue
	switch by := by.(type) {
	case *lua.LTable:
		value = l.GetTable(by, m.capturedOr(first, end)[0])
	case *lua.LFunction:
		value = callOne(l, by, m.capturedOr(first, end)...)
	default:
		text, _ := toText(by)
		return m.expand(text, first, end)
	}
	if lua.LVIsFalse(value) {
		return whole
	}
	text, ok := toText(value)
	if !ok {
		raiseError(l, "invalid replacement value (a %s)", value.Type())
	}
	return text
}

// expand inserts the captures into a replacement string: %0 is the whole match, %1
// the first capture or, without captures, the whole match.
func (m *matcher) expand(text string, first, end int) string {
	if !strings.Contains(text, "%") {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c != '%' {
			b.WriteByte(c)
			continue
		}
		if i++; i == len(text) {
			b.WriteByte(0) // PUC Lua takes the byte that ends a string in C
			break
		}
		switch c = text[i]; {
		case c == '0':
			b.WriteString(m.src[first:end])
		case c >= '1' && c <= '9':
			values := m.capturedOr(first, end)
			if int(c-'1') >= len(values) {
				raiseError(m.l, "invalid capture index")
			}
			text, _ := toText(values[c-'1'])
			b.WriteString(text)
		default:
			b.WriteByte(c)
		}
		checkAlloc(m.l, uint64(b.Len()))
		m.spend(1)
	}
	return b.String()
}
