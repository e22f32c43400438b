package vm

import "github.com/yuin/gopher-lua/ast"

// If a loop begins with a jump, gopher-lua jumps to a wrong instruction: it mistakes the
// jump's distance, which it has already computed, for the number of a target. A loop begins
// with a jump if it begins with a constant condition, 'break' or 'goto'. The rewriter
// evaluates constant conditions itself and puts an instruction before 'break' and 'goto'.

// truth reports whether a constant counts as true. isConstant is false for other
// expressions.
func truth(e ast.Expr) (value, isConstant bool) {
	switch e.(type) {
	case *ast.FalseExpr, *ast.NilExpr:
		return false, true
	case *ast.TrueExpr, *ast.NumberExpr, *ast.StringExpr:
		return true, true
	}
	return false, false
}

// logical returns an 'and' or 'or' that has no constant on its left side, or its value.
func logical(e *ast.LogicalOpExpr) ast.Expr {
	value, ok := truth(e.Lhs)
	if !ok {
		return e
	}
	if value == (e.Operator == "and") {
		oneValue(e.Rhs)
		return e.Rhs
	}
	return e.Lhs
}

// not returns a 'not' whose operand is not constant, or its value.
func not(e *ast.UnaryNotOpExpr) ast.Expr {
	value, ok := truth(e.Expr)
	switch {
	case !ok:
		return e
	case value:
		return at(e, &ast.FalseExpr{})
	}
	return at(e, &ast.TrueExpr{})
}

// branch returns an 'if' whose condition is not constant, or the block that it selects.
func branch(s *ast.IfStmt) ast.Stmt {
	value, ok := truth(s.Condition)
	switch {
	case !ok:
		return s
	case value:
		return at(s, &ast.DoBlockStmt{Stmts: s.Then})
	}
	return at(s, &ast.DoBlockStmt{Stmts: s.Else})
}

// while returns the loop, or an empty block if its condition is constant and false.
func while(s *ast.WhileStmt) ast.Stmt {
	if value, ok := truth(s.Condition); ok && !value {
		return at(s, &ast.DoBlockStmt{})
	}
	return s
}

// notFirst puts an instruction before a 'break' or 'goto'.
func notFirst(s ast.Stmt) ast.Stmt {
	first := at(s, &ast.LocalAssignStmt{Names: []string{"..0"}, Exprs: []ast.Expr{at(s, &ast.NilExpr{})}})
	return at(s, &ast.DoBlockStmt{Stmts: []ast.Stmt{first, s}})
}
