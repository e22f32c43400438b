package fennel

import "fmt"

// The limits of Lua. Lua 5.1 allows a function 200 locals, 60 captured variables and
// about 200 levels of syntax. Locals and the values of expressions share the registers:
// gopher-lua has 200 and Lua 5.1 has 250.
const (
	maxLocals   = 180
	maxUpvalues = 60
	maxLevels   = 190

	// maxExprLevels is how many levels of syntax an expression may have. Deeper ones are
	// put in a local. Each form adds up to two levels. The rest of maxLevels is for the
	// blocks around it.
	maxExprLevels = 150
	maxValues     = 190 // locals, and values that wait for a call or operator

	// maxOperands bounds a chain of "..". Each of its operands needs a register and a
	// level of syntax, so a longer chain is nested.
	maxOperands = 50

	// maxArgs is how many arguments a call may have. More are passed in a table.
	maxArgs = 100

	// maxNamed is how many named locals a function may have. Further names become fields
	// of a table, and temporaries go into blocks of their own. It is less than
	// maxUpvalues, so that a function in a long file cannot capture too many.
	maxNamed = 50
)

// spill makes a new local a field of a table instead if the function has more than maxNamed
// locals. The table belongs to the scope, so that each iteration of a loop has its own.
func (c *compiler) spill(l *local, s *scope, b *block) {
	if s.locals() <= maxNamed {
		return
	}
	if s.spilled == "" {
		s.spilled = c.uniqueLua("more", s)
		b.add(&statLocal{0, []string{s.spilled}, []luaExpr{&luaTable{}}})
	}
	l.table = s.spilled
	s.count--
}

// expr returns the Lua expression for a local.
func (l *local) expr(at line) luaExpr {
	if l.table == "" {
		return &luaName{at, l.lua}
	}
	return &luaIndex{at, &luaName{at, l.table}, &luaString{at, l.lua}}
}

// cutDeep replaces each expression that is nested nearly too deeply for Lua by a local that
// holds its value. It does not change an expression that may have many values.
func (c *compiler) cutDeep(exprs []luaExpr, b *block) {
	for i, e := range exprs {
		if multi(e) || isConstant(e) {
			continue
		}
		m := &measurer{}
		m.expr(&measured{locals: map[string]bool{}}, e)
		if m.deepest > maxExprLevels {
			exprs[i] = c.hold(e, b)
		}
	}
}

// checkLimits reports the lines of a chunk that exceed the limits of Lua.
func (c *compiler) checkLimits(b *block, src *source) {
	m := &measurer{c: c, src: src, reported: map[string]bool{}}
	m.function(&measured{locals: map[string]bool{}}, nil, b)
}

// A measurer walks the Lua tree. Without a compiler it reports nothing.
type measurer struct {
	c        *compiler
	src      *source
	line     int
	levels   int
	deepest  int // the most levels so far
	reported map[string]bool
}

// A measured is a function that a measurer is in.
type measured struct {
	parent   *measured
	count    int             // active locals
	waiting  int             // values of expressions that wait for others
	locals   map[string]bool // every name that it declared so far
	captured map[string]bool
}

// tooMuch reports that a limit is exceeded at the current line. Each limit is reported once.
func (m *measurer) tooMuch(hint, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	if m.c == nil || m.reported[message] {
		return
	}
	m.reported[message] = true
	p := Position{Line: max(m.line, 1), src: m.src}
	m.c.errs = append(m.c.errs, diagnose(p, hint, message))
}

func (m *measurer) at(line int) {
	if line > 0 {
		m.line = line
	}
}

func (m *measurer) function(f *measured, params []string, b *block) {
	f.declare(m, params...)
	m.block(f, b)
}

// declare adds names to the locals of f.
func (f *measured) declare(m *measurer, names ...string) {
	f.count += len(names)
	for _, n := range names {
		f.locals[n] = true
	}
	if f.count > maxLocals {
		m.tooMuch("split it into functions, or keep the values in a table",
			"too many local variables in one function: more than %d", maxLocals)
	}
}

// use adds a name to the variables that f captures, if it belongs to a function around f.
func (f *measured) use(m *measurer, name string) {
	for ; f != nil && !f.locals[name]; f = f.parent {
		if !f.parent.declares(name) || f.captured[name] {
			return
		}
		f.captured[name] = true
		if len(f.captured) > maxUpvalues {
			m.tooMuch("keep some of them in a table",
				"a function uses too many variables of the functions around it: more than %d", maxUpvalues)
		}
	}
}

func (f *measured) declares(name string) bool {
	for ; f != nil; f = f.parent {
		if f.locals[name] {
			return true
		}
	}
	return false
}

// deeper counts a level of syntax. Its caller subtracts it again.
func (m *measurer) deeper() {
	m.levels++
	m.deepest = max(m.deepest, m.levels)
	if m.levels > maxLevels {
		m.tooMuch("split the form into functions", "nested too deeply for Lua: more than %d levels", maxLevels)
	}
}

func (m *measurer) block(f *measured, b *block) {
	if b == nil {
		return
	}
	m.deeper()
	before := f.count
	for _, s := range b.stats {
		m.stat(f, s)
	}
	f.count = before
	m.levels--
}

func (m *measurer) stat(f *measured, s luaStat) {
	m.at(s.lineOf())
	switch s := s.(type) {
	case *statLocal:
		m.exprs(f, s.values)
		f.declare(m, s.names...)
	case *statLocalFunction:
		f.declare(m, s.name)
		m.expr(f, s.fn)
	case *statAssign:
		m.exprs(f, s.targets)
		m.exprs(f, s.values)
	case *statCall:
		m.expr(f, s.call)
	case *statIf:
		for _, b := range s.branches {
			m.expr(f, b.cond)
			m.block(f, b.body)
		}
		m.block(f, s.orElse)
	case *statWhile:
		m.expr(f, s.cond)
		m.block(f, s.body)
	case *statFor:
		m.exprs(f, s.bounds)
		m.loop(f, []string{s.name}, s.body)
	case *statForIn:
		m.exprs(f, s.exprs)
		m.loop(f, s.names, s.body)
	case *statDo:
		m.block(f, s.body)
	case *statReturn:
		m.exprs(f, s.values)
	}
}

// loop measures the body of a for. Lua adds three hidden locals to its names.
func (m *measurer) loop(f *measured, names []string, b *block) {
	before := f.count
	f.count += 3
	f.declare(m, names...)
	m.block(f, b)
	f.count = before
}

func (m *measurer) exprs(f *measured, list []luaExpr) {
	for _, e := range list {
		if e != nil {
			m.expr(f, e)
		}
	}
}

func (m *measurer) expr(f *measured, e luaExpr) {
	if m.c != nil {
		m.c.step()
	}
	m.at(e.lineOf())
	m.deeper()
	switch e := e.(type) {
	case *luaName:
		f.use(m, e.name)
	case *luaIndex:
		m.exprs(f, []luaExpr{e.object, e.key})
	case *luaCall:
		m.expr(f, e.callee)
		m.waiting(f, 1, e.args)
	case *luaMethod:
		m.expr(f, e.object)
		m.waiting(f, 2, e.args)
	case *luaBinary:
		m.binary(f, e)
	case *luaUnary:
		m.operand(f, e.operand, 1)
	case *luaTable:
		f.waiting++
		m.exprs(f, e.keys)
		m.exprs(f, e.values)
		f.waiting--
	case *luaParen:
		m.expr(f, e.inner)
	case *luaFunction:
		inner := &measured{parent: f, locals: map[string]bool{}, captured: map[string]bool{}}
		m.function(inner, e.params, e.body)
	}
	m.levels--
}

// binary measures the operands of an operator. Lua reads the first one on the level of the
// operation, the others one level deeper, and each operand of ".." and "^" one level deeper
// than the one before. All operands of ".." wait for the last one.
func (m *measurer) binary(f *measured, e *luaBinary) {
	before := f.waiting
	for i, operand := range e.operands {
		levels := min(i, 1)
		if e.op == ".." || e.op == "^" {
			levels = i
		}
		m.operand(f, operand, levels)
		if i == 0 || e.op == ".." {
			f.waiting++
		}
	}
	m.tooManyValues(f)
	f.waiting = before
}

// operand measures an operand that is so many levels deeper than its operator, and one more
// if it is in parentheses.
func (m *measurer) operand(f *measured, e luaExpr, levels int) {
	levels-- // m.expr counts one
	if bracketed(e, false) {
		levels++
	}
	m.levels += levels
	m.expr(f, e)
	m.levels -= levels
}

// waiting measures expressions whose values stay in registers until the last one is
// evaluated. So many other values already wait with them.
func (m *measurer) waiting(f *measured, others int, list []luaExpr) {
	before := f.waiting
	f.waiting += others
	for _, e := range list {
		m.expr(f, e)
		f.waiting++
	}
	m.tooManyValues(f)
	f.waiting = before
}

func (m *measurer) tooManyValues(f *measured) {
	if f.count+f.waiting > maxValues {
		m.tooMuch("put them in a table", "too many values at once: more than %d with the local variables", maxValues)
	}
}
