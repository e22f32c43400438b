// Package view writes runs for people and scripts: lists, all facts of one run, and its
// log.
package view

import (
	"bufio"
	"io"
	"time"

	"quire/lib/runstore"
)

// A List writes records, one a line. The caller must call Flush at the end.
type List struct {
	out  *bufio.Writer
	line func(runstore.Record) ([]byte, error) // without its newline
}

// NewList returns a list of the record lines of quire-run(5).
func NewList(w io.Writer) *List {
	return &List{bufio.NewWriter(w), func(rec runstore.Record) ([]byte, error) { return []byte(rec.Line()), nil }}
}

// NewJSONList returns a list of JSON objects.
func NewJSONList(w io.Writer) *List {
	return &List{bufio.NewWriter(w), func(rec runstore.Record) ([]byte, error) { return encode(rec) }}
}

// Print writes one record.
func (l *List) Print(rec runstore.Record) error {
	line, err := l.line(rec)
	if err == nil {
		_, err = l.out.Write(append(line, '\n'))
	}
	return err
}

// Flush writes the records that are still buffered.
func (l *List) Flush() error { return l.out.Flush() }

// took returns how long the run was active, "-" if it was not or still is.
func took(rec runstore.Record) string {
	if rec.Started.IsZero() || rec.Finished.IsZero() {
		return "-"
	}
	return rec.Finished.Sub(rec.Started).Round(10 * time.Millisecond).String()
}
