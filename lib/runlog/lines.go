package runlog

import "bytes"

// MaxRecord is the length in bytes of the text of a record: a longer line is
// split. It is the bound that container runtimes use.
const MaxRecord = 16 << 10

// Lines cuts a stream into lines and hands on each as soon as it is whole.
type Lines struct {
	// Emit gets a line without its newline, or with full false a piece of one that
	// is longer than MaxRecord or has no newline at the end of the stream. The
	// bytes are good until it returns.
	Emit func(text []byte, full bool)

	rest []byte // the beginning of a line, at most MaxRecord long
}

// Write cuts p. It keeps the beginning of a line until the line is whole or
// Flush is called, and does not fail.
func (l *Lines) Write(p []byte) (int, error) {
	size := len(p)
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			break
		}
		l.emit(p[:i], true)
		p = p[i+1:]
	}
	if len(p) > 0 {
		l.emit(p, false)
	}
	return size, nil
}

// emit hands on the kept bytes and text: all of it if a newline follows, and else
// as much as cannot be part of a record of allowed length.
func (l *Lines) emit(text []byte, newline bool) {
	if len(l.rest) > 0 || !newline {
		l.rest = append(l.rest, text...)
		text = l.rest
	}
	for len(text) > MaxRecord {
		l.Emit(text[:MaxRecord], false)
		text = text[MaxRecord:]
	}
	if newline {
		l.Emit(text, true)
		text = nil
	}
	l.rest = append(l.rest[:0], text...)
}

// Rest returns the beginning of a line that is kept; it is good until the next call.
func (l *Lines) Rest() []byte { return l.rest }

// Flush hands on the beginning of a line that is kept, if any.
func (l *Lines) Flush() {
	if len(l.rest) > 0 {
		l.Emit(l.rest, false)
		l.rest = l.rest[:0]
	}
}
