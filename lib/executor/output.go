package executor

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"

	"quire/lib/runlog"
)

// maxInline is how large an output in an event may be, in bytes of its strings. A larger
// output is written to its own file.
const maxInline = 64 << 10

// writeOutput puts the output of a job into ev or into a file, redacted.
func (r *run) writeOutput(ev *runlog.Event, job string, v value) error {
	if sizeOf(v) <= maxInline {
		var b bytes.Buffer
		out := bufio.NewWriter(&b)
		err := r.writeData(out, v)
		out.Flush()
		ev.Output = b.Bytes()
		return err
	}
	ev.OutputFile = runlog.OutputPath(job)
	path := filepath.Join(r.Out, filepath.FromSlash(ev.OutputFile))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	out := bufio.NewWriterSize(file, readSize)
	if err := r.writeData(out, v); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return file.Sync()
}

// sizeOf returns the length of all strings in v in bytes, counting 8 for other values.
func sizeOf(v value) int {
	size := 8
	switch v := v.(type) {
	case string:
		size = len(v)
	case []value:
		for _, item := range v {
			size += sizeOf(item)
		}
	case object:
		for _, e := range v {
			size += sizeOf(e.key) + sizeOf(e.value)
		}
	}
	return size
}

// writeData writes v as JSON with redacted strings, without a copy of v in memory. It may
// report an error of w only when w is flushed.
func (r *run) writeData(w *bufio.Writer, v value) error {
	switch v := v.(type) {
	case string:
		return r.writeString(w, v)
	case []value:
		w.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				w.WriteByte(',')
			}
			if err := r.writeData(w, item); err != nil {
				return err
			}
		}
		return w.WriteByte(']')
	case object:
		w.WriteByte('{')
		for i, e := range v {
			if i > 0 {
				w.WriteByte(',')
			}
			if err := r.writeString(w, keyText(e.key)); err != nil {
				return err
			}
			w.WriteByte(':')
			if err := r.writeData(w, e.value); err != nil {
				return err
			}
		}
		return w.WriteByte('}')
	}
	text, err := json.Marshal(v)
	w.Write(text)
	return err
}

func (r *run) writeString(w *bufio.Writer, s string) error {
	w.WriteByte('"')
	esc := &escaper{w: w}
	red := r.redact.Writer(esc)
	for len(s) > 0 {
		n := min(len(s), readSize)
		if _, err := io.WriteString(red, s[:n]); err != nil {
			return err
		}
		s = s[n:]
	}
	if err := red.Flush(); err != nil {
		return err
	}
	if err := esc.flush(); err != nil {
		return err
	}
	return w.WriteByte('"')
}
