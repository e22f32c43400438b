package fennel

import "slices"

// Forms are compiled to this Lua tree. Each node has the line of the form that it was
// compiled from, or 0, and emit.go puts it on that line. A tree, unlike text, keeps function
// literals in their expressions and makes parentheses and the order of evaluation right, and
// limits.go can measure it.

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
	// luaBinary is a chain of two or more operands with the same operator between them.
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
		file   string // the file of the body, "" for the file around the function
	}
	// luaTable is a constructor; an item without key is positional.
	luaTable struct {
		line
		keys, values []luaExpr
	}
	// luaParen limits an expression to one value.
	luaParen struct {
		line
		inner luaExpr
	}
	// luaRaw is the text in a form lua.
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
	// statCall is a *luaCall or *luaMethod whose values are not used.
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

// declares reports whether b itself declares local names.
func (b *block) declares() bool {
	for _, s := range b.stats {
		switch s.(type) {
		case *statLocal, *statLocalFunction, *statRaw:
			return true
		}
	}
	return false
}

// onlyTemporaries reports whether every local that b declares is a temporary of the
// compiler.
func (b *block) onlyTemporaries() bool {
	for _, s := range b.stats {
		switch s := s.(type) {
		case *statLocal:
			if slices.ContainsFunc(s.names, func(name string) bool { return !isTemporary(name) }) {
				return false
			}
		case *statLocalFunction, *statRaw:
			return false
		}
	}
	return true
}

// ends reports whether no statement may follow the last statement of b.
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

// splice adds the statements of inner to b. If they would leak names or end b early, it
// puts them in a do block.
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

// multi reports whether e may have more or fewer than one value.
func multi(e luaExpr) bool {
	switch e.(type) {
	case *luaCall, *luaMethod, *luaVararg, *luaRaw:
		return true
	}
	return false
}

// single limits e to one value.
func single(e luaExpr) luaExpr {
	if multi(e) {
		return &luaParen{line(e.lineOf()), e}
	}
	return e
}

// isConstant reports whether evaluating e has no effect, and the same result anywhere in the
// statement.
func isConstant(e luaExpr) bool {
	switch e.(type) {
	case *luaLiteral, *luaString, *luaFunction:
		return true
	}
	return false
}
