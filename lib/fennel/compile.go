package fennel

import (
	"context"
	"strconv"

	lua "github.com/yuin/gopher-lua"

	"quire/lib/diag"
	"quire/lib/vm"
)

// Options say how to compile.
type Options struct {
	// File names the source in diagnostics and in the messages of lambda.
	File string

	// Module is the source's name as a module, "" if it is none. The module expressions of
	// import-macros see it as "...".
	Module string

	// Globals are the names that are known without being declared. A name that
	// is neither here nor bound is an error. Nil turns the check off.
	Globals []string

	// Macros finds a module for import-macros, require-macros, include, and
	// require inside a macro. It returns the name of the file, which diagnostics
	// use, and its text. Nil means that no module exists.
	Macros func(module string) (file string, src []byte, err error)

	// Forms, if it is not nil, receives the forms of the source as Read returns them, so
	// that the caller can refer to their positions later.
	Forms func([]Node)

	// Hint returns a hint for an unknown name, "" for the usual hint. It may be nil.
	Hint func(name string) string

	// Limits bound the macros of the source, and the whole compilation if Bound is nil. The
	// zero value is vm.DefaultLimits.
	Limits vm.Limits

	// Bound ends the compilation if it uses too much time or memory. The compilation
	// counts toward the Bound's work.
	Bound *vm.Bound
}

// A Program is a source that compiled.
type Program struct {
	// Lua is the text of the program, in Lua 5.1. Each line holds the code for the same
	// line of the source. The lines of an included module are inserted and move the rest
	// down.
	Lua string

	file  string
	lines []vm.Lines
}

// Load compiles p.Lua into a function. It returns the errors of v.Load. Errors that the
// function raises name files and lines of the source, even in included modules.
func (p *Program) Load(v *vm.VM) (*lua.LFunction, error) {
	return v.Load(p.Lua, p.file, p.lines...)
}

// Compile translates Fennel into Lua. The error is a diag.List, sorted by its positions.
// It holds at least one error for each form that has any, but not those that are certain
// to follow from others. If the context of the Bound ended, the error is the cause.
func Compile(src []byte, o Options) (p *Program, err error) {
	defer stopping(&err)
	if o.Bound == nil {
		v := vm.New(o.Limits)
		defer v.Close()
		o.Bound = v.Bound(context.Background())
		defer o.Bound.End()
	}
	s := &source{name: o.File, text: string(src)}
	r := newReader(s, o.Bound)
	forms := r.forms()
	if len(r.errs) > 0 {
		return nil, r.errs
	}
	if o.Forms != nil {
		o.Forms(forms)
	}
	c := newCompiler(o)
	defer c.close()
	b := c.chunk(forms, s)
	if len(c.errs) == 0 {
		c.checkLimits(b, s)
	}
	if len(c.errs) > 0 {
		c.errs.Sort()
		return nil, c.errs
	}
	return c.print(b, o.File), nil
}

// A compiler holds the state that all forms of one call of Compile share.
type compiler struct {
	opts     Options
	globals  map[string]bool // nil: any unbound name is a global
	used     map[string]bool // globals that the source refers to
	alike    map[string]int  // how many unique Lua names were derived from a name
	assigned map[string]int  // variables that the values being compiled are assigned to
	errs     diag.List

	main        *source  // lines of the output are lines of this file
	at          Position // of the innermost form that has one
	depth       int      // of forms within forms
	deepest     int      // largest depth inside the current form so far
	temporaries int
	expansions  int

	compileTime *compileTime       // nil until a macro is defined
	module      string             // the name of the module being compiled, "" if none
	included    map[string]bool    // modules, false while they are being compiled
	sources     map[string]*source // of modules, by file
	preload     *block             // block of the chunk; include puts modules there, before the current form
}

func newCompiler(o Options) *compiler {
	c := &compiler{opts: o, module: o.Module, used: map[string]bool{}, alike: map[string]int{}, assigned: map[string]int{}}
	if o.Globals != nil {
		c.globals = map[string]bool{"_G": true, "_ENV": true}
		for _, name := range o.Globals {
			c.globals[name] = true
		}
	}
	return c
}

// maxDepth bounds how deep forms may nest once macros are expanded.
const maxDepth = 1000

// chunk compiles a whole file.
func (c *compiler) chunk(forms []Node, src *source) *block {
	c.main = src
	c.at = Position{Line: 1, Column: 1, src: src}
	root := newFunctionScope(nil, &function{vararg: true})
	b := &block{}
	c.preload = b
	c.body(forms, root, b, wantTail)
	return b
}

// anyNumber as want.values asks for all values.
const anyNumber = -1

// A want says what the compiled code must do with the value of a form.
type want struct {
	values  int       // 0, 1 or anyNumber
	tail    bool      // return them
	targets []luaExpr // assign them to these
}

var (
	wantNone = want{values: 0}
	wantOne  = want{values: 1}
	wantAll  = want{values: anyNumber}
	wantTail = want{values: anyNumber, tail: true}
)

// handsOver reports whether w returns or assigns the value, so that no expression is left.
func (w want) handsOver() bool { return w.tail || w.targets != nil }

// A result holds the expressions of a compiled form. It is done if the form has already
// returned or assigned its value.
type result struct {
	exprs []luaExpr
	done  bool
}

var finished = result{done: true}

func values(e ...luaExpr) result { return result{exprs: e} }

// compile compiles one form as w wants it. It adds the form's statements to b and returns
// the expressions for its values. With wantOne it returns exactly one expression, which may
// still be a call with several values.
func (c *compiler) compile(n Node, s *scope, b *block, w want) []luaExpr {
	at, deepest := c.at, c.deepest
	if p := n.Pos(); p.Line > 0 {
		c.at = p
	}
	if c.depth++; c.depth > maxDepth {
		c.failHint(n, "split the form into functions", "nested too deeply: more than %d levels", maxDepth)
	}
	c.step()
	c.deepest = c.depth
	n = c.expand(n, s)
	r := c.form(n, s, b, w)
	var exprs []luaExpr
	if !r.done {
		exprs = c.deliver(r.exprs, b, w, c.lineOf(n))
	}
	if c.deepest-c.depth > maxExprLevels/2 {
		c.cutDeep(exprs, b)
	}
	// After an error, catch restores these.
	c.at = at
	c.depth--
	c.deepest = max(c.deepest, deepest)
	return exprs
}

// lineOf returns the line of n in the output, 0 if it has none.
func (c *compiler) lineOf(n Node) line {
	p := n.Pos()
	if p.Line == 0 {
		p = c.at
	}
	if p.src != c.main {
		return 0
	}
	return line(p.Line)
}

// form compiles an expanded form.
func (c *compiler) form(n Node, s *scope, b *block, w want) result {
	at := c.lineOf(n)
	switch n := n.(type) {
	case *Symbol:
		return values(c.reference(n, s))
	case *String:
		return values(&luaString{at, n.Value})
	case *Number:
		return values(&luaLiteral{at, numberLua(n.Value)})
	case *Bool:
		return values(&luaLiteral{at, strconv.FormatBool(n.Value)})
	case *Vararg:
		return values(c.vararg(n, s))
	case *Sequence:
		return values(c.sequence(n, s, b))
	case *Table:
		return values(c.table(n, s, b))
	case *List:
		return c.call(n, s, b, w)
	}
	c.fail(n, "this cannot be compiled")
	return finished
}

// one compiles n to a single expression.
func (c *compiler) one(n Node, s *scope, b *block) luaExpr {
	return c.compile(n, s, b, wantOne)[0]
}

// deliver returns or assigns the values of a form, or returns their expressions, as w
// wants.
func (c *compiler) deliver(exprs []luaExpr, b *block, w want, at line) []luaExpr {
	if w.values >= 0 && !w.handsOver() {
		if len(exprs) > w.values {
			c.addEffects(exprs[w.values:], b)
			exprs = exprs[:w.values:w.values]
		}
		for len(exprs) < w.values {
			exprs = append(exprs, luaNil)
		}
	}
	switch {
	case w.tail:
		b.add(&statReturn{at, exprs})
		return nil
	case w.targets != nil:
		if len(exprs) == 0 {
			exprs = []luaExpr{luaNil}
		}
		b.add(&statAssign{at, w.targets, exprs})
		return nil
	}
	return exprs
}

// addEffects emits expressions whose values are not used, if evaluating them may have an
// effect.
func (c *compiler) addEffects(exprs []luaExpr, b *block) {
	for _, e := range exprs {
		for p, ok := e.(*luaParen); ok; p, ok = e.(*luaParen) {
			e = p.inner
		}
		at := line(e.lineOf())
		switch e := e.(type) {
		case *luaCall, *luaMethod:
			b.add(&statCall{at, e})
		case *luaName, *luaLiteral, *luaString, *luaVararg, *luaFunction:
		default:
			b.add(&statDo{at, &block{[]luaStat{&statLocal{at, []string{"_"}, []luaExpr{e}}}}})
		}
	}
}

// body compiles forms in order; the last one as w wants, the others for their effects. It
// skips a form that fails, so that the errors of the rest are found too.
func (c *compiler) body(forms []Node, s *scope, b *block, w want) []luaExpr {
	if len(forms) == 0 {
		if w.tail {
			return nil
		}
		return c.deliver(nil, b, w, 0)
	}
	last := len(forms) - 1
	for _, n := range forms[:last] {
		c.guard(n, s, func() { c.effects(n, s, b) })
	}
	var exprs []luaExpr
	if !c.guard(forms[last], s, func() { exprs = c.compile(forms[last], s, b, w) }) {
		return c.deliver(nil, b, w, 0)
	}
	return exprs
}

// effects compiles a form whose value is not used. In a function with many locals, its
// temporaries go into a block of their own.
func (c *compiler) effects(n Node, s *scope, b *block) {
	inner := &block{}
	c.addEffects(c.compile(n, s, inner, wantNone), inner)
	if s.locals() > maxNamed && inner.onlyTemporaries() {
		b.splice(inner, int(c.lineOf(n)))
		return
	}
	b.stats = append(b.stats, inner.stats...)
}
