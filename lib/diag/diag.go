// Package diag is a diagnostic that points into a source file, as compilers print them.
package diag

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"quire/lib/text"
)

// A Diagnostic is one problem in a source file.
type Diagnostic struct {
	File    string // as the reader knows it, such as ".quire/ci.fnl"
	Line    int    // 1-based; 0 if unknown
	Column  int    // 1-based, in characters; 0 if unknown
	Message string // lower case, no full stop; it need not be safe to show
	Source  string // the text of the line, without its newline; may be empty
	Hint    string // what to do about it; may be empty
}

// Error returns the diagnostic on one line, in the form FILE:LINE:COLUMN: MESSAGE, safe
// to show. Line and column are left out if they are not known.
func (d Diagnostic) Error() string {
	message := text.Cut(d.Message, maxMessage)
	switch {
	case d.Line == 0:
		return text.Line(fmt.Sprintf("%s: %s", d.File, message))
	case d.Column == 0:
		return text.Line(fmt.Sprintf("%s:%d: %s", d.File, d.Line, message))
	}
	return text.Line(fmt.Sprintf("%s:%d:%d: %s", d.File, d.Line, d.Column, message))
}

// maxMessage is the most of a message that Error shows, in bytes. The message is stored
// with each run that it ends, and one push can make thousands of runs.
const maxMessage = 2000

// maxSource is the most of a source line that Text shows, in characters: a file may be
// one long line.
const maxSource = 160

// Text returns the diagnostic as a person reads it: the line of Error, then, as far as
// they are known, the source line, a caret under the column, and the hint. Each line
// ends with a newline and is safe to show.
func (d Diagnostic) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", d.Error())
	if before, shown, ok := d.excerpt(); ok {
		fmt.Fprintf(&b, "    %s\n    %s^\n", shown, strings.Repeat(" ", before))
	}
	if d.Hint != "" {
		fmt.Fprintf(&b, "    hint: %s\n", text.Line(d.Hint))
	}
	return b.String()
}

// excerpt returns the part of the source line to show, and how many of its characters come
// before the caret.
func (d Diagnostic) excerpt() (before int, shown string, ok bool) {
	if d.Source == "" || d.Column < 1 {
		return 0, "", false
	}
	line := []rune(text.Line(d.Source))
	before = min(d.Column-1, len(line))
	start := 0
	if before > maxSource*3/4 {
		start = before - maxSource/2
	}
	end := min(len(line), start+maxSource)
	return before - start, string(line[start:end]), true
}

// A List is one or more diagnostics as one error.
type List []Diagnostic

// Error returns the one-line forms, joined by newlines.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, d := range l {
		lines[i] = d.Error()
	}
	return strings.Join(lines, "\n")
}

// Sort sorts the diagnostics by file, line and column.
func (l List) Sort() {
	slices.SortStableFunc(l, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// Summary returns the first diagnostic on one line, and how many more there are.
func (l List) Summary() string {
	if len(l) == 1 {
		return l[0].Error()
	}
	return fmt.Sprintf("%s (and %d more)", l[0].Error(), len(l)-1)
}

// Text returns the Text of every diagnostic in order.
func (l List) Text() string {
	var b strings.Builder
	for _, d := range l {
		b.WriteString(d.Text())
	}
	return b.String()
}

// SourceLine returns line n of source, counted from 1, without its line ending,
// or "" if the line does not exist.
func SourceLine(source []byte, n int) string {
	for s := range bytes.Lines(source) {
		if n--; n == 0 {
			return string(bytes.TrimRight(s, "\r\n"))
		}
	}
	return ""
}
