package runlog

import "bytes"

// MaxEntry is the length in bytes of the text of an entry: a longer line is split. It is
// the bound that container runtimes use.
const MaxEntry = 16 << 10

// Lines splits a stream into lines and passes on each line when it is complete.
type Lines struct {
	// Emit receives a line without its newline. If full is false, it receives a part of
	// a line that is longer than MaxEntry, or that has no newline at the end of the
	// stream. The bytes are valid until it returns.
	Emit func(text []byte, full bool)

	rest []byte // the beginning of a line, at most MaxEntry long
}

// Write splits p. It keeps the beginning of a line until the line is complete or Flush is
// called, and never fails.
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

// emit passes on the kept bytes and text: everything if a newline follows, otherwise only
// the bytes that do not fit into one entry.
func (l *Lines) emit(text []byte, newline bool) {
	if len(l.rest) > 0 || !newline {
		l.rest = append(l.rest, text...)
		text = l.rest
	}
	for len(text) > MaxEntry {
		l.Emit(text[:MaxEntry], false)
		text = text[MaxEntry:]
	}
	if newline {
		l.Emit(text, true)
		text = nil
	}
	l.rest = append(l.rest[:0], text...)
}

// Rest returns the kept beginning of a line. It is valid until the next call.
func (l *Lines) Rest() []byte { return l.rest }

// Flush passes on the kept beginning of a line, if any.
func (l *Lines) Flush() {
	if len(l.rest) > 0 {
		l.Emit(l.rest, false)
		l.rest = l.rest[:0]
	}
}
