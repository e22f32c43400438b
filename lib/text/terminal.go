package text

import (
	"bytes"
	"io"
	"unicode/utf8"
)

// Terminal returns a writer that passes the output of jobs to the terminal w. Colours,
// line breaks and tabs stay, and a carriage return within a line is a line break, so that
// no line hides another. Each other control character or invalid byte is '?', so that
// reading a log cannot set the reader's title, clipboard or keys.
func Terminal(w io.Writer) io.Writer { return &terminal{w: w} }

type terminal struct {
	w    io.Writer
	rest []byte // the beginning of a character or of a sequence
}

func (t *terminal) Write(p []byte) (int, error) {
	t.rest = append(t.rest, p...)
	var out bytes.Buffer
	for len(t.rest) > 0 {
		n := t.next(&out)
		if n == 0 {
			break
		}
		t.rest = t.rest[n:]
	}
	if _, err := t.w.Write(out.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// next adds the first character or sequence to out and returns its length in bytes. It
// returns 0 if the end of it is still to come.
func (t *terminal) next(out *bytes.Buffer) int {
	if t.rest[0] == 0x1b {
		n, whole := colour(t.rest)
		switch {
		case n > 0 && whole:
			out.Write(t.rest[:n])
			return n
		case n > 0:
			return 0
		}
	}
	if !utf8.FullRune(t.rest) || t.rest[0] == '\r' && len(t.rest) == 1 {
		return 0
	}
	r, n := utf8.DecodeRune(t.rest)
	switch {
	case r == '\n', r == '\t':
		out.WriteRune(r)
	case r == '\r' && t.rest[1] == '\n':
		out.WriteByte('\r')
	case r == '\r' && t.rest[1] == '\r':
	case r == '\r':
		out.WriteByte('\n')
	case isUnsafe(r, n):
		out.WriteByte('?')
	default:
		out.Write(t.rest[:n])
	}
	return n
}

// maxColour is the length in bytes of the longest sequence that is taken for colours.
const maxColour = 64

// colour returns the length of the sequence that sets colours (SGR, ECMA-48 8.3.117) at
// the start of text, and whether the sequence is complete. The length is 0 if text starts
// with any other sequence.
func colour(text []byte) (n int, whole bool) {
	for i, c := range text[:min(len(text), maxColour)] {
		switch {
		case i == 0, i == 1 && c == '[':
		case i > 1 && (c >= '0' && c <= '9' || c == ';' || c == ':'):
		case i > 1 && c == 'm':
			return i + 1, true
		default:
			return 0, false
		}
	}
	if len(text) >= maxColour {
		return 0, false
	}
	return len(text), false
}
