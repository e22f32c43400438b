package fennel

import (
	"errors"
	"strings"

	"quire/lib/vm"
)

// A printer writes the Lua tree as text. It puts each node on the line of the form that it
// was compiled from, so a run-time error of Lua names the line of the Fennel source. Lines
// never go back: if a form had to be evaluated before an earlier one, the earlier one
// follows on the same line. Only an included module has its own rows, which move all rows
// after it down.
type printer struct {
	c     *compiler
	out   strings.Builder
	file  string     // the file of the current row
	line  int        // of that file
	row   int        // of the output
	moved []vm.Lines // rows whose number is not their line in the main file

	indent int
	fresh  bool // this line is still empty
	space  bool // the next text on this line needs a space before it
	stat   bool // a statement ended here, and no separator follows it yet
}

// print returns the program of a chunk that comes from file.
func (c *compiler) print(b *block, file string) *Program {
	p := &printer{c: c, file: file, line: 1, row: 1, fresh: true}
	p.statements(b)
	p.newline()
	return &Program{Lua: p.out.String(), file: file, lines: p.moved}
}

// newline ends the current row.
func (p *printer) newline() {
	p.out.WriteByte('\n')
	p.fresh = true
}

// goTo moves down to line n. If that line has passed, it does nothing.
func (p *printer) goTo(n int) {
	for ; p.line < n; p.line++ {
		p.newline()
		p.row++
	}
}

// enter begins a row that is a line of file.
func (p *printer) enter(file string, line int) {
	p.newline()
	p.row++
	p.file, p.line = file, line
	p.moved = append(p.moved, vm.Lines{Row: p.row, File: file, Line: line})
}

// maxText is how long the Lua of a file may be, in bytes: eight modules of the largest size.
const maxText = 8 << 20

var errText = errors.New("made more than 8 MiB of Lua")

// step applies the limits.
func (p *printer) step() {
	p.c.step()
	if p.out.Len() > maxText {
		panic(stop{p.c.at, errText})
	}
}

// text writes s, which contains no newline.
func (p *printer) text(s string) {
	switch {
	case p.fresh:
		p.fresh = false
		for range min(p.indent, 40) {
			p.out.WriteString("  ")
		}
	case p.space:
		p.out.WriteByte(' ')
	}
	p.out.WriteString(s)
	p.space, p.stat = false, false
}

// word writes s with a space on either side, unless it begins or ends the line.
func (p *printer) word(s string) {
	p.space = true
	p.text(s)
	p.space = true
}

// block writes the indented statements of a block, without the words that begin and end it.
func (p *printer) block(b *block) {
	p.indent++
	p.space, p.stat = true, false
	p.statements(b)
	p.indent--
	p.space, p.stat = true, false
}

// body writes a block and its end.
func (p *printer) body(b *block) {
	p.block(b)
	p.text("end")
}

func (p *printer) statements(b *block) {
	for _, s := range b.stats {
		p.step()
		if c, ok := s.(*statComment); ok {
			p.comment(c)
			continue
		}
		p.separate(s)
		p.statement(s)
		p.stat = true
	}
}

// separate separates two statements. Lua 5.1 reads a parenthesis at the beginning of a line
// as a call of the expression before it, so a semicolon is needed there.
func (p *printer) separate(s luaStat) {
	if p.stat && (s.lineOf() <= p.line && !p.fresh || startsWithParen(s)) {
		p.space = false
		p.text(";")
		p.space = true
	}
	p.goTo(s.lineOf())
}

// comment writes a comment. The statements before and after it are separated as if the
// comment were not there.
func (p *printer) comment(c *statComment) {
	stat := p.stat
	p.goTo(c.lineOf())
	p.word("--[[ " + c.text + " ]]")
	p.stat = stat
}

func startsWithParen(s luaStat) bool {
	switch s := s.(type) {
	case *statCall:
		return parenthesised(s.call)
	case *statAssign:
		return parenthesised(s.targets[0])
	case *statRaw:
		return strings.HasPrefix(strings.TrimSpace(s.text), "(")
	}
	return false
}

// parenthesised reports whether the text of e begins with a parenthesis.
func parenthesised(e luaExpr) bool {
	switch e := e.(type) {
	case *luaCall:
		return needsParens(e.callee) || parenthesised(e.callee)
	case *luaMethod:
		return needsParens(e.object) || parenthesised(e.object)
	case *luaIndex:
		return needsParens(e.object) || parenthesised(e.object)
	case *luaParen:
		return true
	}
	return false
}

func (p *printer) statement(s luaStat) {
	switch s := s.(type) {
	case *statLocal:
		p.word("local")
		p.text(strings.Join(s.names, ", "))
		if len(s.values) > 0 {
			p.word("=")
			p.exprs(s.values)
		}
	case *statLocalFunction:
		p.text("local function " + s.name)
		p.function(s.fn)
	case *statAssign:
		p.exprs(s.targets)
		p.word("=")
		p.exprs(s.values)
	case *statCall:
		p.expr(s.call)
	case *statIf:
		p.ifStatement(s)
	case *statWhile:
		p.word("while")
		p.expr(s.cond)
		p.word("do")
		p.body(s.body)
	case *statFor:
		p.text("for " + s.name)
		p.word("=")
		p.exprs(s.bounds)
		p.word("do")
		p.body(s.body)
	case *statForIn:
		p.text("for " + strings.Join(s.names, ", "))
		p.word("in")
		p.exprs(s.exprs)
		p.word("do")
		p.body(s.body)
	case *statDo:
		p.text("do")
		p.body(s.body)
	case *statReturn:
		p.text("return")
		p.space = true
		p.exprs(s.values)
	case *statBreak:
		p.text("break")
	case *statRaw:
		p.raw(s.text)
	}
}

// raw writes Lua text unchanged. Only the text of a module contains newlines.
func (p *printer) raw(text string) {
	first, rest, more := strings.Cut(text, "\n")
	p.text(first)
	for more {
		p.step()
		p.goTo(p.line + 1)
		first, rest, more = strings.Cut(rest, "\n")
		p.fresh = false // no indentation: this may be inside a string
		p.out.WriteString(first)
	}
}

func (p *printer) ifStatement(s *statIf) {
	word := "if"
	for _, b := range s.branches {
		p.word(word)
		p.expr(b.cond)
		p.word("then")
		p.block(b.body)
		word = "elseif"
	}
	if s.orElse != nil {
		p.word("else")
		p.block(s.orElse)
	}
	p.text("end")
}
