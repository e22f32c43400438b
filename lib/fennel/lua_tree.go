package fennel

// The tree of Lua that forms are compiled to. Each node carries the line of the form it
// comes from, 0 if it has none of its own, and emit.go puts it on that line. With a tree
// rather than text, function literals stay in their place, parentheses and the order of
// evaluation come out right, and limits.go can count.

type (
	// luaExpr is an expression.
	luaExpr interface{ lineOf() int }

	// line is the line of a node.
	line int

	luaName struct {
		line
		name string
	}
	// luaLiteral is nil, a boolean or a number.
	luaLiteral struct {
		line
		text string
	}
	luaString struct {
		line
		value string
	}
	luaVararg struct{ line }
	luaIndex  struct {
		line
		object, key luaExpr
	}
	luaCall struct {
		line
		callee luaExpr
		args   []luaExpr
	}
	luaMethod struct {
		line
		object luaExpr
		name   string
		args   []luaExpr
	}
	// luaBinary is a chain of two or more operands with one operator between.
	luaBinary struct {
		line
		op       string
		operands []luaExpr
	}
	luaUnary struct {
		line
		op      string
		operand luaExpr
	}
	luaFunction struct {
		line
		params []string
		vararg bool
		body   *block
		file   string // that the body is, "" for that of what is around it
	}
	// luaTable is a constructor; an item without key is positional.
	luaTable struct {
		line
		keys, values []luaExpr
	}
	// luaParen cuts an expression to one value.
	luaParen struct {
		line
		inner luaExpr
	}
	// luaRaw is text that the form lua was given.
	luaRaw struct {
		line
		text string
	}
)

func (l line) lineOf() int { return int(l) }

type (
	// luaStat is a statement.
	luaStat interface{ lineOf() int }

	statLocal struct {
		line
		names  []string
		values []luaExpr
	}
	statLocalFunction struct {
		line
		name string
		fn   *luaFunction
	}
	statAssign struct {
		line
		targets, values []luaExpr
	}
	// statCall is a *luaCall or *luaMethod for its effects.
	statCall struct {
		line
		call luaExpr
	}
	statIf struct {
		line
		branches []ifBranch
		orElse   *block // nil: none
	}
	statWhile struct {
		line
		cond luaExpr
		body *block
	}
	statFor struct {
		line
		name   string
		bounds []luaExpr
		body   *block
	}
	statForIn struct {
		line
		names []string
		exprs []luaExpr
		body  *block
	}
	statDo struct {
		line
		body *block
	}
	statReturn struct {
		line
		values []luaExpr
	}
	statBreak   struct{ line }
	statRaw     struct{ luaRaw }
	statComment struct {
		line
		text string
	}
)

type ifBranch struct {
	cond luaExpr
	body *block
}

// A block is a sequence of statements with one Lua scope.
type block struct {
	stats []luaStat
}

func (b *block) add(s luaStat) { b.stats = append(b.stats, s) }

// declares reports whether b itself brings local names into being.
func (b *block) declares() bool {
	for _, s := range b.stats {
		switch s.(type) {
		case *statLocal, *statLocalFunction, *statRaw:
			return true
		}
	}
	return false
}

// onlyTemporaries reports whether every local that b declares is one the compiler
// made for itself.
func (b *block) onlyTemporaries() bool {
	for _, s := range b.stats {
		switch s := s.(type) {
		case *statLocal:
			for _, name := range s.names {
				if !isTemporary(name) {
					return false
				}
			}
		case *statLocalFunction, *statRaw:
			return false
		}
	}
	return true
}

// ends reports whether nothing may follow the last statement of b.
func (b *block) ends() bool {
	if len(b.stats) == 0 {
		return false
	}
	switch b.stats[len(b.stats)-1].(type) {
	case *statReturn, *statBreak, *statRaw:
		return true
	}
	return false
}

// splice puts the statements of inner at the end of b, in a do block of their
// own where they would otherwise leak names or end b early.
func (b *block) splice(inner *block, at int) {
	switch {
	case len(inner.stats) == 0:
	case inner.declares() || inner.ends():
		b.add(&statDo{line(at), inner})
	default:
		b.stats = append(b.stats, inner.stats...)
	}
}

var luaNil = &luaLiteral{text: "nil"}

// multi reports whether e may be more or fewer than one value.
func multi(e luaExpr) bool {
	switch e.(type) {
	case *luaCall, *luaMethod, *luaVararg, *luaRaw:
		return true
	}
	return false
}

// single cuts e to one value where it may have more.
func single(e luaExpr) luaExpr {
	if multi(e) {
		return &luaParen{line(e.lineOf()), e}
	}
	return e
}

// inert reports whether evaluating e does nothing and gives the same wherever
// in the statement it is done.
func inert(e luaExpr) bool {
	switch e.(type) {
	case *luaLiteral, *luaString, *luaFunction:
		return true
	}
	return false
}
