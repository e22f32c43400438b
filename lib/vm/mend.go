package vm

import (
	"strconv"

	"github.com/yuin/gopher-lua/ast"
)

// What gopher-lua 1.1.2 compiles wrongly.

// maxParallel is up to how many targets an assignment is mended: each may take
// three of a function's 200 registers.
const maxParallel = 30

// parallel returns an assignment to several targets as a block that evaluates all
// there is to evaluate first. gopher-lua assigns to a local variable while others
// still wait to be read: 'a, b = b, a' gives both the same value (issue 440 of that
// project). As in PUC Lua the first target is assigned last.
func parallel(s *ast.AssignStmt) ast.Stmt {
	n := len(s.Lhs)
	if n < 2 || n > maxParallel {
		return s
	}
	block := &ast.DoBlockStmt{}
	temporaries := 0
	// hold evaluates expressions into variables that no text can name.
	hold := func(values []ast.Expr, n int) []ast.Expr {
		local := &ast.LocalAssignStmt{Exprs: values}
		held := make([]ast.Expr, n)
		for i := range held {
			temporaries++
			name := ".." + strconv.Itoa(temporaries)
			local.Names = append(local.Names, name)
			held[i] = at(s, &ast.IdentExpr{Value: name})
		}
		block.Stmts = append(block.Stmts, at(s, local))
		return held
	}
	targets := make([]ast.Expr, n)
	for i, target := range s.Lhs {
		if field, ok := target.(*ast.AttrGetExpr); ok {
			held := hold([]ast.Expr{field.Object, field.Key}, 2)
			target = at(s, &ast.AttrGetExpr{Object: held[0], Key: held[1]})
		}
		targets[i] = target
	}
	values := hold(s.Rhs, n)
	for i := n - 1; i >= 0; i-- {
		block.Stmts = append(block.Stmts, at(s, &ast.AssignStmt{Lhs: targets[i : i+1], Rhs: values[i : i+1]}))
	}
	return at(s, block)
}

// threeExpressions completes those of a generic 'for': gopher-lua loops not once
// over 'for k in next, t'.
func threeExpressions(list []ast.Expr) []ast.Expr {
	last := list[len(list)-1]
	switch last.(type) {
	case *ast.FuncCallExpr, *ast.Comma3Expr:
		return list // may be several values
	}
	for len(list) < 3 {
		list = append(list, at(last, &ast.NilExpr{}))
	}
	return list
}

// at gives a new node the lines of the one that it stands for.
func at[N ast.PositionHolder](old ast.PositionHolder, n N) N {
	n.SetLine(old.Line())
	n.SetLastLine(max(old.Line(), old.LastLine()))
	return n
}
