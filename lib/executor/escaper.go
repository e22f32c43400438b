package executor

import (
	"bufio"
	"bytes"
	"fmt"
	"unicode/utf8"
)

// An escaper writes text as the inside of a JSON string. Unlike package json it accepts the
// text in pieces, so that the whole never has to be in memory.
type escaper struct {
	w    *bufio.Writer
	rest []byte // the beginning of a UTF-8 sequence
}

func (e *escaper) Write(p []byte) (int, error) {
	text := p
	if len(e.rest) > 0 {
		text = append(e.rest, p...)
	}
	end := len(text)
	for i := end - 1; i >= 0 && i >= end-utf8.UTFMax; i-- {
		if utf8.RuneStart(text[i]) {
			if !utf8.FullRune(text[i:]) {
				end = i
			}
			break
		}
	}
	err := e.escape(text[:end])
	e.rest = bytes.Clone(text[end:])
	return len(p), err
}

// flush writes an incomplete UTF-8 sequence at the end of the text.
func (e *escaper) flush() error { return e.escape(e.rest) }

// escape writes text by RFC 8259, section 7. A byte that is not UTF-8 becomes half of a
// surrogate pair, from \udc80 on, as in Python's surrogateescape; decodeData reads it
// back.
func (e *escaper) escape(text []byte) error {
	start := 0 // text[start:i] needs no escape
	for i := 0; i < len(text); {
		if c := text[i]; ' ' <= c && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if r >= utf8.RuneSelf && size > 1 {
			i += size
			continue
		}
		e.w.Write(text[start:i])
		switch r {
		case '"', '\\':
			e.w.WriteByte('\\')
			e.w.WriteByte(byte(r))
		case '\n':
			e.w.WriteString(`\n`)
		case utf8.RuneError:
			fmt.Fprintf(e.w, `\udc%02x`, text[i])
		default:
			fmt.Fprintf(e.w, `\u%04x`, r)
		}
		i += size
		start = i
	}
	_, err := e.w.Write(text[start:])
	return err
}
