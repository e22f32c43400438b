// Package diag is a diagnostic that points into a source file, as compilers print them.
package diag

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Diagnostic says what is wrong at one place of a source file.
type Diagnostic struct {
	File    string // as the reader knows it, such as ".quire/ci.fnl"
	Line    int    // 1-based; 0 where no place is known
	Column  int    // 1-based, in characters; 0 where only the line is known
	Message string // lower case, one line, no full stop
	Source  string // the text of the line, without its newline; may be empty
	Hint    string // what to do about it; may be empty
}

// Error returns the diagnostic on one line, in the form FILE:LINE:COLUMN: MESSAGE.
// Parts of the place that are not known are left out. Even the name of the file may
// come from whoever pushed.
func (d Diagnostic) Error() string {
	message := d.Message
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "..."
	}
	switch {
	case d.Line == 0:
		return OneLine(fmt.Sprintf("%s: %s", d.File, message))
	case d.Column == 0:
		return OneLine(fmt.Sprintf("%s:%d: %s", d.File, d.Line, message))
	}
	return OneLine(fmt.Sprintf("%s:%d:%d: %s", d.File, d.Line, d.Column, message))
}

// maxMessage is how much of a message Error shows, in bytes: it is kept with each run
// that it ends, of which one push can make thousands.
const maxMessage = 2000

// maxSource is how much of a source line Text shows, in characters: a caret
// under a minified file of one line helps nobody.
const maxSource = 160

// Text returns the diagnostic as a person reads it: the line of Error, then the
// source line, a caret under the column, and the hint, each where there is one.
// Each line ends with a newline, and control characters of the source line,
// which comes from whoever pushed, are shown as '?'.
func (d Diagnostic) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", d.Error())
	if before, shown, ok := d.excerpt(); ok {
		fmt.Fprintf(&b, "    %s\n    %s^\n", shown, strings.Repeat(" ", before))
	}
	if d.Hint != "" {
		fmt.Fprintf(&b, "    hint: %s\n", OneLine(d.Hint))
	}
	return b.String()
}

// excerpt returns the part of the source line to show and how many characters
// of it stand before the caret.
func (d Diagnostic) excerpt() (before int, shown string, ok bool) {
	if d.Source == "" || d.Column < 1 {
		return 0, "", false
	}
	line := []rune(printable(d.Source))
	before = min(d.Column-1, len(line))
	start := 0
	if before > maxSource*3/4 {
		start = before - maxSource/2
	}
	end := min(len(line), start+maxSource)
	return before - start, string(line[start:end]), true
}

// printable returns s with each tab as one space, so that the caret stands
// right, and each other control character or broken byte as '?'.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) || r == utf8.RuneError:
			return '?'
		}
		return r
	}, s)
}

// OneLine returns s, a piece of a message that came from elsewhere, with line
// breaks as spaces, and as '?' what could drive a terminal.
func OneLine(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || c == '\r':
			return ' '
		case c < ' ' && c != '\t' || c >= 0x7f && c < 0xa0:
			return '?'
		}
		return c
	}, s)
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

// Text returns the Text of every diagnostic in order.
func (l List) Text() string {
	var b strings.Builder
	for _, d := range l {
		b.WriteString(d.Text())
	}
	return b.String()
}

// SourceLine returns line n, counted from 1, of text without its line ending,
// or "" where there is no such line.
func SourceLine(text []byte, n int) string {
	for s := range strings.Lines(string(text)) {
		if n--; n == 0 {
			return strings.TrimRight(s, "\r\n")
		}
	}
	return ""
}
