package runlog

import (
	"bytes"
	"io"
)

// A RedactWriter passes on what is written to it with its secrets replaced,
// however it is cut into writes. It keeps back only what may be the beginning of
// a secret, never as much as a whole one. It is not safe for concurrent use.
type RedactWriter struct {
	w    io.Writer
	scan scanner
	buf  bytes.Buffer
}

// Writer returns a writer that redacts what goes to w.
func (r *Redactor) Writer(w io.Writer) *RedactWriter {
	return &RedactWriter{w: w, scan: scanner{r: r}}
}

// Write redacts p and passes on what is decided. Its errors are those of the
// writer below, after which the stream is not to be used.
func (w *RedactWriter) Write(p []byte) (int, error) {
	if len(w.scan.r.needles) == 0 {
		return w.w.Write(p)
	}
	if err := w.pass(p, false); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush passes on what is kept back: nothing follows that could make a secret
// of it.
func (w *RedactWriter) Flush() error { return w.pass(nil, true) }

func (w *RedactWriter) pass(p []byte, final bool) error {
	w.scan.feed(&w.buf, p, final)
	if w.buf.Len() == 0 {
		return nil
	}
	_, err := w.w.Write(w.buf.Bytes())
	w.buf.Reset()
	return err
}
