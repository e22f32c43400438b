// Package view writes runs for people and scripts: lists, all facts of one run, and its
// log.
package view

import (
	"bufio"
	"io"
	"time"

	"quire/lib/runstore"
)

// A List writes records in one of several forms. Flush ends it.
type List struct {
	print func(io.Writer, runstore.Record) error
	w     io.Writer
	flush []func() error
}

// Lines writes the record lines of quire-run(5).
func Lines(w io.Writer) *List {
	return newList(w, func(w io.Writer, rec runstore.Record) error {
		_, err := io.WriteString(w, rec.Line()+"\n")
		return err
	})
}

// Objects writes one JSON object a line.
func Objects(w io.Writer) *List {
	return newList(w, func(w io.Writer, rec runstore.Record) error {
		text, err := encode(rec)
		if err != nil {
			return err
		}
		_, err = w.Write(append(text, '\n'))
		return err
	})
}

func newList(w io.Writer, print func(io.Writer, runstore.Record) error) *List {
	out := bufio.NewWriter(w)
	return &List{print, out, []func() error{out.Flush}}
}

// Print writes one record.
func (l *List) Print(rec runstore.Record) error { return l.print(l.w, rec) }

// Flush writes the records that are still buffered.
func (l *List) Flush() error {
	for _, flush := range l.flush {
		if err := flush(); err != nil {
			return err
		}
	}
	return nil
}

func took(rec runstore.Record) string {
	if rec.Started.IsZero() || rec.Finished.IsZero() {
		return "-"
	}
	return rec.Finished.Sub(rec.Started).Round(10 * time.Millisecond).String()
}
