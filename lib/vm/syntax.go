package vm

import (
	"fmt"
	"slices"

	"github.com/yuin/gopher-lua/ast"
)

// Bounds on a text, where gopher-lua's compiler has none: it calls itself for each
// level of nesting, and Go's stack is finite; it looks a constant or a label up by
// going through all those of the function.
const (
	maxSyntaxLevels = 1_000
	maxConstants    = 1 << 14
	maxLabels       = 1_000  // and gotos, in a text
	maxItems        = 25_000 // of a table constructor; gopher-lua loses those from 25,550 on
	maxOperands     = 50     // of one call to concat, which has registers for 200
)

// concatName is what compiled text calls for '..'. It is no identifier, so no
// text can name it.
const concatName = ".."

// A rewriter goes over a parsed text before it is compiled. It checks the bounds
// and makes a call of each '..': as an instruction it would join up to 200
// strings at once, a gigabyte of them as readily as a line. It also writes around
// what gopher-lua compiles wrongly.
type rewriter struct {
	file      string
	levels    int
	labels    int
	constants map[string]bool // of the function that is being gone over
}

// rewrite returns the text as a function within a function, whose one local
// variable is the one called concatName.
func rewrite(file string, chunk []ast.Stmt) []ast.Stmt {
	r := &rewriter{file: file, constants: map[string]bool{}}
	r.block(chunk)
	hidden := &ast.LocalAssignStmt{Names: []string{concatName}, Exprs: []ast.Expr{&ast.NilExpr{}}}
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
	if r.levels++; r.levels > maxSyntaxLevels {
		r.fail(line, "text is nested more than %d levels deep", maxSyntaxLevels)
	}
}

func (r *rewriter) leave() { r.levels-- }

func (r *rewriter) constant(line int, text string) {
	if r.constants[text] = true; len(r.constants) > maxConstants {
		r.fail(line, "function has more than %d constants", maxConstants)
	}
}

func (r *rewriter) fail(line int, format string, args ...any) {
	panic(&SyntaxError{File: r.file, Line: line, Message: fmt.Sprintf(format, args...)})
}

func (r *rewriter) block(list []ast.Stmt) {
	for i, s := range list {
		list[i] = r.statement(s)
	}
}

// statement returns what to compile instead of s.
func (r *rewriter) statement(s ast.Stmt) ast.Stmt {
	r.enter(s.Line())
	defer r.leave()
	switch s := s.(type) {
	case *ast.AssignStmt:
		r.each(s.Lhs)
		r.each(s.Rhs)
		return parallel(s)
	case *ast.LocalAssignStmt:
		r.each(s.Exprs)
	case *ast.FuncCallStmt:
		s.Expr = r.expression(s.Expr)
	case *ast.DoBlockStmt:
		r.block(s.Stmts)
	case *ast.WhileStmt:
		s.Condition = r.expression(s.Condition)
		r.block(s.Stmts)
	case *ast.RepeatStmt:
		r.block(s.Stmts)
		s.Condition = r.expression(s.Condition)
	case *ast.IfStmt:
		s.Condition = r.expression(s.Condition)
		r.block(s.Then)
		r.block(s.Else)
	case *ast.NumberForStmt:
		s.Init, s.Limit = r.expression(s.Init), r.expression(s.Limit)
		if s.Step != nil {
			s.Step = r.expression(s.Step)
		}
		r.block(s.Stmts)
	case *ast.GenericForStmt:
		r.each(s.Exprs)
		s.Exprs = threeExpressions(s.Exprs)
		r.block(s.Stmts)
	case *ast.FuncDefStmt:
		if s.Name.Func != nil {
			s.Name.Func = r.expression(s.Name.Func)
		}
		if s.Name.Receiver != nil {
			s.Name.Receiver = r.expression(s.Name.Receiver)
		}
		r.constant(s.Line(), s.Name.Method)
		r.function(s.Func)
	case *ast.ReturnStmt:
		r.each(s.Exprs)
	case *ast.LabelStmt:
		r.label(s.Line())
	case *ast.GotoStmt:
		r.label(s.Line())
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

// expression returns what to compile instead of e.
func (r *rewriter) expression(e ast.Expr) ast.Expr {
	r.enter(e.Line())
	defer r.leave()
	switch e := e.(type) {
	case *ast.NumberExpr:
		r.constant(e.Line(), e.Value)
	case *ast.StringExpr:
		r.constant(e.Line(), e.Value)
	case *ast.IdentExpr:
		r.constant(e.Line(), e.Value)
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
		e.Lhs, e.Rhs = r.expression(e.Lhs), r.expression(e.Rhs)
	case *ast.RelationalOpExpr:
		e.Lhs, e.Rhs = r.expression(e.Lhs), r.expression(e.Rhs)
	case *ast.ArithmeticOpExpr:
		e.Lhs, e.Rhs = r.expression(e.Lhs), r.expression(e.Rhs)
	case *ast.UnaryMinusOpExpr:
		e.Expr = r.expression(e.Expr)
	case *ast.UnaryNotOpExpr:
		e.Expr = r.expression(e.Expr)
	case *ast.UnaryLenOpExpr:
		e.Expr = r.expression(e.Expr)
	case *ast.FunctionExpr:
		r.function(e)
	case *ast.StringConcatOpExpr:
		return r.concatenation(e)
	}
	return e
}

// function goes over a function, which has constants of its own.
func (r *rewriter) function(f *ast.FunctionExpr) {
	outer := r.constants
	r.constants = map[string]bool{}
	r.block(f.Stmts)
	r.constants = outer
}

// concatenation makes calls of 'a .. b .. c', which the parser has as a .. (b .. c).
// A long chain is joined in groups; that their metamethods, if there are any, see
// another grouping than the manual's is the price.
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
			groups = append(groups, concatCall(e, group))
		}
		operands = groups
	}
	return concatCall(e, operands)
}

func concatCall(old *ast.StringConcatOpExpr, operands []ast.Expr) ast.Expr {
	// The last operand of '..' is one value, also where it is a call or '...'.
	switch last := operands[len(operands)-1].(type) {
	case *ast.FuncCallExpr:
		last.AdjustRet = true
	case *ast.Comma3Expr:
		last.AdjustRet = true
	}
	name := at(old, &ast.IdentExpr{Value: concatName})
	return at(old, &ast.FuncCallExpr{Func: name, Args: operands, AdjustRet: true})
}
