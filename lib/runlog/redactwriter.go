package runlog

import (
	"bytes"
	"io"
)

// A RedactWriter passes on the bytes written to it with their secrets replaced, even if a
// secret is split among writes. It holds back only bytes that may be the beginning of a
// secret, never a whole one. It is not safe for concurrent use.
type RedactWriter struct {
	w    io.Writer
	scan scanner
	buf  bytes.Buffer
}

// Writer returns a writer that redacts the output to w.
func (r *Redactor) Writer(w io.Writer) *RedactWriter {
	return &RedactWriter{w: w, scan: scanner{r: r}}
}

// Write redacts p and passes on the bytes that are decided. Its errors come from the
// writer below; after one the stream must not be used.
func (w *RedactWriter) Write(p []byte) (int, error) {
	if w.scan.r.empty() {
		return w.w.Write(p)
	}
	w.scan.feed(&w.buf, p, false)
	if err := w.pass(); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Holding reports whether bytes are held back that Release or Flush may pass on.
func (w *RedactWriter) Holding() bool { return len(w.scan.rest) > w.scan.shown }

// Release must be called when a stream pauses. It passes on complete lines that are held
// back only because their last few bytes may begin a secret that the next line continues, as
// lines of base64 do. If they do, fewer than MinSecret bytes of the secret were shown, and
// its other bytes are still replaced.
func (w *RedactWriter) Release() error {
	w.scan.release(&w.buf)
	return w.pass()
}

// Flush passes on the bytes that are held back. The stream must have ended.
func (w *RedactWriter) Flush() error {
	w.scan.feed(&w.buf, nil, true)
	return w.pass()
}

func (w *RedactWriter) pass() error {
	if w.buf.Len() == 0 {
		return nil
	}
	_, err := w.w.Write(w.buf.Bytes())
	w.buf.Reset()
	return err
}
