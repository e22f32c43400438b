package fennel

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// letterEscapes are the escapes of one letter.
var letterEscapes = map[byte]byte{
	'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v',
	'\\': '\\', '"': '"', '\'': '\'', '\n': '\n',
}

// readString reads a quoted string. Its escapes are described in section 3.1 of the Lua 5.4
// manual, as the language's reference says.
func (r *reader) readString() {
	at := r.here()
	r.advance(1)
	var b strings.Builder
	for {
		n := strings.IndexAny(r.text[r.pos:], `"\`)
		if n < 0 {
			r.advance(len(r.text) - r.pos)
			r.fail(r.here(), "the string begins at line "+strconv.Itoa(at.Line), `expected closing delimiter "`)
			r.full = true
			return
		}
		b.WriteString(r.text[r.pos : r.pos+n])
		r.advance(n)
		if r.text[r.pos] == '"' {
			r.advance(1)
			r.add(&String{Position: at, Value: b.String()})
			return
		}
		r.readEscape(&b)
	}
}

// readEscape reads an escape sequence.
func (r *reader) readEscape(b *strings.Builder) {
	rest := r.text[r.pos+1:]
	if rest == "" {
		r.advance(1)
		return
	}
	if c, ok := letterEscapes[rest[0]]; ok {
		b.WriteByte(c)
		r.advance(2)
		return
	}
	switch {
	case rest[0] == '\r':
		b.WriteByte('\n')
		r.advance(2)
		if strings.HasPrefix(rest, "\r\n") {
			r.advance(1)
		}
	case rest[0] >= '0' && rest[0] <= '9':
		r.readDecimalEscape(b, rest)
	case rest[0] == 'x':
		v, err := strconv.ParseUint(rest[1:min(3, len(rest))], 16, 8)
		if len(rest) < 3 || err != nil {
			r.fail(r.here(), `write it as \x and two hexadecimal digits`, `invalid escape \x`)
			r.advance(2)
			return
		}
		b.WriteByte(byte(v))
		r.advance(4)
	case rest[0] == 'u':
		r.readUnicodeEscape(b, rest)
	case rest[0] == 'z':
		space := len(rest) - 1 - len(strings.TrimLeft(rest[1:], " \t\n\v\f\r"))
		r.advance(2 + space)
	default:
		_, size := utf8.DecodeRuneInString(rest)
		r.fail(r.here(), `a backslash itself is written \\`, `invalid escape \%s`, rest[:size])
		r.advance(1 + size)
	}
}

func (r *reader) readDecimalEscape(b *strings.Builder, rest string) {
	n := 1
	for n < 3 && n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
		n++
	}
	v, err := strconv.ParseUint(rest[:n], 10, 8)
	if err != nil {
		r.fail(r.here(), "a byte is at most 255", `invalid escape \%s`, rest[:n])
	}
	b.WriteByte(byte(v))
	r.advance(1 + n)
}

func (r *reader) readUnicodeEscape(b *strings.Builder, rest string) {
	end := strings.IndexByte(rest, '}')
	if len(rest) > 1 && rest[1] == '{' && end > 2 && end < 12 {
		if v, err := strconv.ParseUint(rest[2:end], 16, 31); err == nil {
			b.Write(encodeCodePoint(uint32(v)))
			r.advance(2 + end)
			return
		}
	}
	r.fail(r.here(), `write it as \u{hexadecimal digits}`, `invalid escape \u`)
	r.advance(2)
}

// encodeCodePoint encodes v as Lua 5.4 does: in the original UTF-8 of up to six bytes, which
// also encodes surrogates and values beyond Unicode.
func encodeCodePoint(v uint32) []byte {
	if v < 0x80 {
		return []byte{byte(v)}
	}
	var tail []byte
	limit := uint32(0x3f)
	for v > limit {
		tail = append([]byte{byte(0x80 | v&0x3f)}, tail...)
		v >>= 6
		limit >>= 1
	}
	return append([]byte{byte(^limit<<1 | v)}, tail...)
}
