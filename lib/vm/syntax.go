package vm

import (
	"fmt"
	"slices"

	"github.com/yuin/gopher-lua/ast"
)

// Bounds on a text, because gopher-lua's compiler has none: it recurses for each level of
// nesting, and Go's stack is finite; it searches constants and labels linearly.
const (
	maxSyntaxLevels = 1_000
	maxConstants    = 1 << 14
	maxUpvalues     = 255    // gopher-lua counts them in a byte
	maxLabels       = 1_000  // and gotos, in a text
	maxItems        = 25_000 // of a table constructor; gopher-lua loses items from 25,550 on
	maxConditions   = 32_000 // and loops, of a function; each uses up to four of 131,071 jump targets
	maxJump         = 1<<17 - 1
	maxOperands     = 50 // of one call to concat, which has registers for 200
)

// The variables whose functions compiled text calls for '..' and '%'. They are not
// identifiers, so a text cannot name them.
const (
	concatName = ".."
	moduloName = "%"
)

// A rewriter changes a parsed text before it is compiled. It checks the bounds and the cost
// of compiling. It replaces each '..' by a call: the instruction would join up to 200
// strings at once, whatever their size. It also avoids what gopher-lua compiles wrongly.
type rewriter struct {
	file      string
	levels    int
	labels    int
	cost      cost
	constants map[string]bool // of the current function
	jumps     int             // conditions and loops of the current function
}

// rewrite returns the text as a function within a function that has the local variables
// concatName and moduloName. It panics with a *SyntaxError, or with the *LimitError of t.
func rewrite(t *call, file string, chunk []ast.Stmt) []ast.Stmt {
	r := &rewriter{file: file, cost: cost{call: t}, constants: map[string]bool{}}
	r.block(chunk)
	hidden := &ast.LocalAssignStmt{Names: []string{concatName, moduloName}, Exprs: []ast.Expr{&ast.NilExpr{}}}
	body := &ast.FunctionExpr{ParList: &ast.ParList{HasVargs: true}, Stmts: chunk}
	if len(chunk) > 0 {
		body.SetLine(chunk[0].Line())
		last := chunk[len(chunk)-1]
		body.SetLastLine(max(last.Line(), last.LastLine()))
	}
	return []ast.Stmt{hidden, &ast.ReturnStmt{Exprs: []ast.Expr{body}}}
}

// enter counts a level of nesting and panics with a SyntaxError if there are too
// many; leave undoes it.
func (r *rewriter) enter(line int) {
	r.cost.node()
	if r.levels++; r.levels > maxSyntaxLevels {
		r.fail(line, "text is nested more than %d levels deep", maxSyntaxLevels)
	}
}

func (r *rewriter) leave() { r.levels-- }

func (r *rewriter) constant(line int, text string) {
	r.constants[text] = true
	r.cost.constant(len(r.constants))
	if len(r.constants) > maxConstants {
		r.fail(line, "function has more than %d constants", maxConstants)
	}
}

// name counts the use of a variable.
func (r *rewriter) name(line int, name string) {
	r.constant(line, name)
	r.cost.name(r.levels)
}

// jump counts a condition or a loop of the current function.
func (r *rewriter) jump(line int) {
	if r.jumps++; r.jumps > maxConditions {
		r.fail(line, "function has more than %d conditions and loops", maxConditions)
	}
}

func (r *rewriter) fail(line int, format string, args ...any) {
	panic(&SyntaxError{File: r.file, Line: line, Message: fmt.Sprintf(format, args...)})
}

func (r *rewriter) block(list []ast.Stmt) {
	outer := r.cost.locals
	for i, s := range list {
		list[i] = r.statement(s)
	}
	r.cost.locals = outer
}

// loop rewrites the body of a loop that declares so many variables.
func (r *rewriter) loop(variables int, list []ast.Stmt) {
	r.cost.declare(variables)
	r.block(list)
	r.cost.locals -= variables
}

// statement returns the statement to compile instead of s.
func (r *rewriter) statement(s ast.Stmt) ast.Stmt {
	r.enter(s.Line())
	defer r.leave()
	switch s := s.(type) {
	case *ast.AssignStmt:
		r.each(s.Lhs)
		r.each(s.Rhs)
		return assignment(s)
	case *ast.LocalAssignStmt:
		r.each(s.Exprs)
		seeOuterLocal(s)
		r.cost.declare(len(s.Names))
	case *ast.FuncCallStmt:
		s.Expr = r.expression(s.Expr)
	case *ast.DoBlockStmt:
		r.block(s.Stmts)
	case *ast.WhileStmt:
		r.jump(s.Line())
		s.Condition = r.expression(s.Condition)
		r.block(s.Stmts)
		return while(s)
	case *ast.RepeatStmt:
		r.jump(s.Line())
		r.block(s.Stmts)
		s.Condition = r.expression(s.Condition)
	case *ast.IfStmt:
		r.jump(s.Line())
		s.Condition = r.expression(s.Condition)
		r.block(s.Then)
		r.block(s.Else)
		return branch(s)
	case *ast.NumberForStmt:
		r.jump(s.Line())
		s.Init, s.Limit = number(r.expression(s.Init)), number(r.expression(s.Limit))
		if s.Step != nil {
			s.Step = number(r.expression(s.Step))
		}
		r.loop(4, s.Stmts)
	case *ast.GenericForStmt:
		r.jump(s.Line())
		r.each(s.Exprs)
		s.Exprs = threeExpressions(s.Exprs)
		r.loop(3+len(s.Names), s.Stmts)
	case *ast.FuncDefStmt:
		if s.Name.Func != nil {
			s.Name.Func = r.expression(s.Name.Func)
		}
		if s.Name.Receiver != nil {
			s.Name.Receiver = r.expression(s.Name.Receiver)
		}
		r.constant(s.Line(), s.Name.Method)
		r.body(s.Func)
	case *ast.ReturnStmt:
		r.each(s.Exprs)
	case *ast.LabelStmt:
		r.label(s.Line())
	case *ast.GotoStmt:
		r.label(s.Line())
		return notFirst(s)
	case *ast.BreakStmt:
		return notFirst(s)
	}
	return s
}

func (r *rewriter) label(line int) {
	if r.labels++; r.labels > maxLabels {
		r.fail(line, "text has more than %d labels", maxLabels)
	}
}

func (r *rewriter) each(list []ast.Expr) {
	for i, e := range list {
		list[i] = r.expression(e)
	}
}

// expression returns the expression to compile instead of e.
func (r *rewriter) expression(e ast.Expr) ast.Expr {
	r.enter(e.Line())
	defer r.leave()
	switch e := e.(type) {
	case *ast.NumberExpr:
		r.numeral(e)
		r.constant(e.Line(), e.Value)
	case *ast.StringExpr:
		r.constant(e.Line(), e.Value)
	case *ast.IdentExpr:
		r.name(e.Line(), e.Value)
	case *ast.AttrGetExpr:
		e.Object, e.Key = r.expression(e.Object), r.expression(e.Key)
	case *ast.TableExpr:
		if len(e.Fields) > maxItems {
			r.fail(e.Line(), "table constructor has more than %d items", maxItems)
		}
		for _, f := range e.Fields {
			if f.Key != nil {
				f.Key = r.expression(f.Key)
			}
			f.Value = r.expression(f.Value)
		}
		e.Fields = constructor(e.Fields)
	case *ast.FuncCallExpr:
		if e.Func != nil {
			e.Func = r.expression(e.Func)
		}
		if e.Receiver != nil {
			e.Receiver = r.expression(e.Receiver)
		}
		r.constant(e.Line(), e.Method)
		r.each(e.Args)
	case *ast.LogicalOpExpr:
		r.jump(e.Line())
		e.Lhs, e.Rhs = r.expression(e.Lhs), r.expression(e.Rhs)
		return logical(e)
	case *ast.RelationalOpExpr:
		r.jump(e.Line())
		e.Lhs, e.Rhs = r.expression(e.Lhs), r.expression(e.Rhs)
	case *ast.ArithmeticOpExpr:
		e.Lhs, e.Rhs = r.expression(e.Lhs), r.expression(e.Rhs)
		if e.Operator == "%" {
			return hiddenCall(e, moduloName, e.Lhs, e.Rhs)
		}
	case *ast.UnaryMinusOpExpr:
		e.Expr = r.expression(e.Expr)
	case *ast.UnaryNotOpExpr:
		e.Expr = r.expression(e.Expr)
		return not(e)
	case *ast.UnaryLenOpExpr:
		e.Expr = r.expression(e.Expr)
	case *ast.FunctionExpr:
		r.body(e)
	case *ast.StringConcatOpExpr:
		return r.concatenation(e)
	}
	return e
}

// body rewrites a function, which has its own constants.
func (r *rewriter) body(f *ast.FunctionExpr) {
	outer, jumps, locals, names := r.constants, r.jumps, r.cost.locals, r.cost.names
	r.constants, r.jumps = map[string]bool{}, 0
	r.cost.function()
	r.cost.declare(len(f.ParList.Names) + 1)
	r.block(f.Stmts)
	r.cost.locals = locals
	r.cost.closure(r.cost.names - names)
	r.constants, r.jumps = outer, jumps
}

// concatenation turns 'a .. b .. c', which the parser returns as a .. (b .. c), into calls.
// A long chain is joined in groups. Metamethods may therefore be called for other groups
// than the manual says.
func (r *rewriter) concatenation(e *ast.StringConcatOpExpr) ast.Expr {
	var operands []ast.Expr
	rest := ast.Expr(e)
	for {
		c, ok := rest.(*ast.StringConcatOpExpr)
		if !ok {
			break
		}
		operands = append(operands, r.expression(c.Lhs))
		rest = c.Rhs
	}
	operands = append(operands, r.expression(rest))
	for len(operands) > maxOperands {
		var groups []ast.Expr
		for group := range slices.Chunk(operands, maxOperands) {
			groups = append(groups, hiddenCall(e, concatName, group...))
		}
		operands = groups
	}
	return hiddenCall(e, concatName, operands...)
}

// hiddenCall returns a call that replaces an operator and has one result.
func hiddenCall(old ast.PositionHolder, name string, operands ...ast.Expr) ast.Expr {
	// The last operand is one value, even if it is a call or '...'.
	oneValue(operands[len(operands)-1])
	fn := at(old, &ast.IdentExpr{Value: name})
	return at(old, &ast.FuncCallExpr{Func: fn, Args: operands, AdjustRet: true})
}

// oneValue keeps only the first value of a call or '...'.
func oneValue(e ast.Expr) {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		e.AdjustRet = true
	case *ast.Comma3Expr:
		e.AdjustRet = true
	}
}
