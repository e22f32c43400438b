package fennel

import (
	"fmt"
	"strings"

	"quire/lib/diag"
	"quire/lib/vm"
)

// maxNesting bounds how deep delimiters may nest, and with it every recursive walk over the
// tree. Lua itself refuses more than 200 syntax levels, so no useful program is affected.
const maxNesting = 400

// maxErrors bounds how many errors are reported for one file: more would tell the user
// nothing new, and a binary file pushed by mistake has an error on every line.
const maxErrors = 50

// Read returns the forms of src in order. The error is a diag.List of all syntax errors:
// the reader skips text that it cannot read and continues.
func Read(src []byte, file string) ([]Node, error) {
	r := newReader(&source{name: file, text: string(src)}, nil)
	forms := r.forms()
	if len(r.errs) > 0 {
		return nil, r.errs
	}
	return forms, nil
}

// A reader turns text into nodes and keeps track of the line and column. A column counts
// characters: the bytes that continue a UTF-8 sequence do not count.
type reader struct {
	src  *source
	text string
	pos  int
	line int
	col  int

	open []*opener
	errs diag.List
	full bool // maxErrors reached

	unbalanced bool // a wrong delimiter has been reported

	bound *vm.Bound // limits the reading; nil for no limits
}

// An opener is a delimiter that waits for its closing one, or a prefix, such as the
// backquote, that waits for its form.
type opener struct {
	Position
	closer byte   // 0 for a prefix
	prefix string // the head of the list a prefix makes
	items  []Node
	errs   int // number of errors when it was opened
}

// Delimiters: each opening one has its closing one below it.
const (
	openers = "([{"
	closers = ")]}"
)

// prefixed returns the head of the list that a prefix makes, "" if b is not a prefix.
func prefixed(b byte) string {
	switch b {
	case '#':
		return "hashfn"
	case '`', '\'':
		return "quote"
	case ',':
		return "unquote"
	}
	return ""
}

func newReader(src *source, bound *vm.Bound) *reader {
	r := &reader{src: src, text: src.text, line: 1, col: 1, bound: bound}
	if strings.HasPrefix(r.text, "#!") {
		r.skipLine()
	}
	return r
}

// forms reads to the end of the text. The bottom of the stack of openers is the file
// itself.
func (r *reader) forms() []Node {
	file := &opener{}
	r.open = []*opener{file}
	for !r.full && r.pos < len(r.text) {
		r.next()
	}
	if !r.full {
		r.checkClosed()
	}
	return file.items
}

// next reads one token.
func (r *reader) next() {
	if err := r.bound.Step(); err != nil {
		panic(stop{r.here(), err})
	}
	switch b := r.text[r.pos]; {
	case b == ' ' || (b >= 9 && b <= 13):
		r.advance(1)
	case b == ';':
		r.skipLine()
	case b == '(' || b == '[' || b == '{':
		r.openDelimiter(b)
	case b == ')' || b == ']' || b == '}':
		r.closeDelimiter(b)
	case b == '"':
		r.readString()
	case prefixed(b) != "" && !(b == '#' && r.standsAlone()):
		r.readPrefix(b)
	default:
		r.readToken()
	}
}

// advance moves over n bytes.
func (r *reader) advance(n int) {
	for _, b := range []byte(r.text[r.pos : r.pos+n]) {
		switch {
		case b == '\n':
			r.line++
			r.col = 1
		case b&0xc0 != 0x80:
			r.col++
		}
	}
	r.pos += n
}

func (r *reader) skipLine() {
	if i := strings.IndexByte(r.text[r.pos:], '\n'); i >= 0 {
		r.advance(i)
		return
	}
	r.advance(len(r.text) - r.pos)
}

func (r *reader) here() Position {
	return Position{Line: r.line, Column: r.col, src: r.src}
}

// fail reports an error at p. The reader continues until there are maxErrors.
func (r *reader) fail(p Position, hint, format string, args ...any) {
	if r.full {
		return
	}
	r.errs = append(r.errs, diagnose(p, hint, fmt.Sprintf(format, args...)))
	r.full = len(r.errs) >= maxErrors
}

// failDelimiter is fail for delimiters that do not match. One wrong delimiter makes many
// others look wrong. After the first, no more are reported until a form begins in the first
// column, where top-level forms usually begin.
func (r *reader) failDelimiter(p Position, hint, format string, args ...any) {
	if !r.unbalanced {
		r.fail(p, hint, format, args...)
	}
	r.unbalanced = true
}

// top returns the innermost opener.
func (r *reader) top() *opener { return r.open[len(r.open)-1] }

// add adds a finished form to the innermost opener. It closes the prefixes that waited for
// the form.
func (r *reader) add(n Node) {
	for {
		t := r.top()
		if t.prefix == "" {
			t.items = append(t.items, n)
			return
		}
		r.open = r.open[:len(r.open)-1]
		n = &List{Position: t.Position, Items: []Node{
			&Symbol{Position: t.Position, Name: t.prefix}, n,
		}}
	}
}

// openDelimiter begins a list, sequence or table. Inside another form, white space or an
// opening delimiter must precede it: f(x), a habit from other languages, would silently
// mean two forms.
func (r *reader) openDelimiter(b byte) {
	at := r.here()
	if r.unbalanced && at.Column == 1 {
		r.unbalanced = false
		r.open = r.open[:1]
	}
	if len(r.open) > 1 && !strings.ContainsRune(" \t\n\v\f\r([{#`',", rune(r.text[r.pos-1])) {
		r.fail(at, "put a space before it", "expected whitespace before opening delimiter %c", b)
	}
	if len(r.open) > maxNesting {
		r.fail(at, "split the form into functions", "nested too deeply: more than %d levels", maxNesting)
		r.full = true
		return
	}
	r.open = append(r.open, &opener{Position: at, closer: closers[strings.IndexByte(openers, b)], errs: len(r.errs)})
	r.advance(1)
}

// closeDelimiter ends the innermost form. It reports a wrong delimiter; if an outer form
// waits for that delimiter, the inner forms are treated as ended.
func (r *reader) closeDelimiter(b byte) {
	at := r.here()
	r.advance(1)
	r.dropPrefixes(at)
	t := r.top()
	if t.closer == b {
		r.finish()
		return
	}
	if t.closer == 0 {
		r.failDelimiter(at, "remove it, or open the form it closes", "unexpected closing delimiter %c", b)
		return
	}
	r.failDelimiter(at, fmt.Sprintf("the %c at line %d, column %d is still open", openers[strings.IndexByte(closers, t.closer)], t.Line, t.Column),
		"mismatched closing delimiter %c, expected %c", b, t.closer)
	if !r.waitedFor(b) {
		return
	}
	for r.top().closer != b {
		r.dropPrefixes(at)
		r.finish()
	}
	r.finish()
}

// waitedFor reports whether b closes any open form.
func (r *reader) waitedFor(b byte) bool {
	for _, o := range r.open {
		if o.closer == b {
			return true
		}
	}
	return false
}

// dropPrefixes removes prefixes that are followed by no form.
func (r *reader) dropPrefixes(at Position) {
	for r.top().prefix != "" {
		r.failDelimiter(at, "", "expected a form after the prefix of %s", r.top().prefix)
		r.open = r.open[:len(r.open)-1]
	}
}

// finish turns the innermost opener into a node.
func (r *reader) finish() {
	o := r.top()
	r.open = r.open[:len(r.open)-1]
	switch o.closer {
	case ')':
		r.add(&List{Position: o.Position, Items: o.items})
	case ']':
		r.add(&Sequence{Position: o.Position, Items: o.items})
	case '}':
		r.add(r.table(o))
	}
}

// table pairs the items between braces. It does not report an odd number of items if an
// error was reported inside the braces.
func (r *reader) table(o *opener) *Table {
	if len(o.items)%2 != 0 {
		if !r.unbalanced && len(r.errs) == o.errs {
			r.fail(o.Position, "every key needs a value", "expected even number of values in table literal")
		}
		o.items = o.items[:len(o.items)-1]
	}
	t := &Table{Position: o.Position}
	for i := 0; i < len(o.items); i += 2 {
		key, value := o.items[i], o.items[i+1]
		if name, ok := value.(*Symbol); ok && isSym(key, ":") {
			key = &String{Position: name.Position, Value: name.Name}
		}
		t.Keys = append(t.Keys, key)
		t.Values = append(t.Values, value)
	}
	return t
}

// readPrefix reads one of # ` ' , before its form.
func (r *reader) readPrefix(b byte) {
	at := r.here()
	r.advance(1)
	if r.pos == len(r.text) || strings.IndexByte(" \t\n\v\f\r)]}", r.text[r.pos]) >= 0 {
		r.fail(at, "write the form right after it", "expected a form after the prefix %c", b)
		return
	}
	if len(r.open) > maxNesting {
		r.fail(at, "", "nested too deeply: more than %d levels", maxNesting)
		r.full = true
		return
	}
	r.open = append(r.open, &opener{Position: at, prefix: prefixed(b)})
}

// standsAlone reports whether no form follows the current byte directly. Then # is not a
// prefix but a symbol, the old name of length.
func (r *reader) standsAlone() bool {
	return r.pos+1 == len(r.text) || strings.IndexByte(" \t\n\v\f\r)]}", r.text[r.pos+1]) >= 0
}

// checkClosed reports delimiters and prefixes that are still open at the end of the file.
func (r *reader) checkClosed() {
	at := r.here()
	r.dropPrefixes(at)
	var missing []byte
	for i := len(r.open) - 1; i > 0; i-- {
		if c := r.open[i].closer; c != 0 {
			missing = append(missing, c)
		}
	}
	if len(missing) == 0 {
		return
	}
	o := r.top()
	plural := "s"
	if len(missing) == 1 {
		plural = ""
	}
	opened := strings.TrimSpace(r.src.line(o.Line))
	r.failDelimiter(at, fmt.Sprintf("the innermost one was opened at line %d, column %d: %s", o.Line, o.Column, opened),
		"expected closing delimiter%s %s", plural, missing)
}
