package vm

import (
	"slices"
	"strconv"

	"github.com/yuin/gopher-lua/ast"
)

// This file avoids errors of the compiler of gopher-lua 1.1.2.

// An assignment to at most maxParallel targets holds the values in variables, one to more
// targets in tables: each target may use three of a function's 200 registers.
const maxParallel = 30

// assignment returns an assignment in a form that gopher-lua compiles correctly.
//
// If one value is assigned to a function's last parameter, gopher-lua evaluates a call in
// parentheses in the parameter's register: 's = (f(s))', and 's = "x" .. s', which is a
// call of concat. There, the parentheses make no difference. 'a = t.x and 1' leaves a local
// variable as it was if t.x is false.
//
// For several values, gopher-lua assigns to a local variable before it has read the
// others: 'a, b = b, a' gives both the same value (gopher-lua issue 440).
func assignment(s *ast.AssignStmt) ast.Stmt {
	if len(s.Lhs) > 1 || len(s.Rhs) > 1 {
		return parallel(s)
	}
	switch value := s.Rhs[0].(type) {
	case *ast.FuncCallExpr:
		value.AdjustRet = false
	case *ast.LogicalOpExpr:
		if _, ok := s.Lhs[0].(*ast.IdentExpr); ok {
			return parallel(s)
		}
	}
	return s
}

// parallel returns an assignment as a block that evaluates all expressions first. As in PUC
// Lua, the first target is assigned last.
func parallel(s *ast.AssignStmt) ast.Stmt {
	n := len(s.Lhs)
	block := &ast.DoBlockStmt{}
	temporaries := 0
	// hold evaluates expressions into variables that a text cannot name.
	hold := func(values []ast.Expr, n int) []ast.Expr {
		local := &ast.LocalAssignStmt{Exprs: values}
		held := make([]ast.Expr, n)
		if len(s.Lhs) > maxParallel {
			temporaries++
			local.Names = []string{".." + strconv.Itoa(temporaries)}
			local.Exprs = []ast.Expr{list(s, values)}
			for i := range held {
				table := at(s, &ast.IdentExpr{Value: local.Names[0]})
				key := at(s, &ast.NumberExpr{Value: strconv.Itoa(i + 1)})
				held[i] = at(s, &ast.AttrGetExpr{Object: table, Key: key})
			}
			block.Stmts = append(block.Stmts, at(s, local))
			return held
		}
		for i := range held {
			temporaries++
			name := ".." + strconv.Itoa(temporaries)
			local.Names = append(local.Names, name)
			held[i] = at(s, &ast.IdentExpr{Value: name})
		}
		block.Stmts = append(block.Stmts, at(s, local))
		return held
	}
	var parts []ast.Expr // the tables and keys of fields
	for _, target := range s.Lhs {
		if field, ok := target.(*ast.AttrGetExpr); ok {
			parts = append(parts, field.Object, field.Key)
		}
	}
	if len(parts) > 0 {
		oneValue(parts[len(parts)-1])
		parts = hold(parts, len(parts))
	}
	targets := make([]ast.Expr, n)
	for i, target := range s.Lhs {
		if _, ok := target.(*ast.AttrGetExpr); ok {
			target = at(s, &ast.AttrGetExpr{Object: parts[0], Key: parts[1]})
			parts = parts[2:]
		}
		targets[i] = target
	}
	values := hold(s.Rhs, n)
	for i := n - 1; i >= 0; i-- {
		block.Stmts = append(block.Stmts, at(s, &ast.AssignStmt{Lhs: targets[i : i+1], Rhs: values[i : i+1]}))
	}
	return at(s, block)
}

// list returns a table constructor.
func list(s *ast.AssignStmt, values []ast.Expr) ast.Expr {
	table := at(s, &ast.TableExpr{})
	for _, value := range values {
		table.Fields = append(table.Fields, &ast.Field{Value: value})
	}
	return table
}

// seeOuterLocal makes the function in 'local f = function() ... end' see an outer f, as in Lua.
// gopher-lua compiles the statement like 'local function f() ... end'. A second value, which
// is dropped, prevents that. Only 'local function' has a last line.
func seeOuterLocal(s *ast.LocalAssignStmt) {
	if len(s.Names) != 1 || len(s.Exprs) != 1 || s.LastLine() != 0 {
		return
	}
	if _, ok := s.Exprs[0].(*ast.FunctionExpr); ok {
		s.Exprs = append(s.Exprs, at(s, &ast.NilExpr{}))
	}
}

// fieldsPerFlush is the number of items that gopher-lua collects before it stores them
// in the table that a constructor makes.
const fieldsPerFlush = 50

// constructor returns the fields of a table constructor in a form that gopher-lua stores
// correctly. If the last field has a key and its value is a call or '...', gopher-lua also
// stores the values as items: such a value is cut to one. If a keyed field follows the
// fiftieth item, gopher-lua stores the collected items again, from registers that hold
// other values by then: such a field moves before that item.
func constructor(fields []*ast.Field) []*ast.Field {
	var list []*ast.Field
	items, last := 0, 0 // last is the index of the last item in the list
	for i, f := range fields {
		if f.Key == nil {
			items, last = items+1, len(list)
			list = append(list, f)
			continue
		}
		if i == len(fields)-1 {
			oneValue(f.Value)
		}
		if items == 0 || items%fieldsPerFlush != 0 {
			list = append(list, f)
			continue
		}
		oneValue(list[last].Value) // it is not the last field of the text
		list = slices.Insert(list, last, f)
		last++
	}
	return list
}

// number returns an expression of a numeric 'for' that also converts strings, which PUC
// Lua does and gopher-lua does not. Dividing by 1 changes no number.
func number(e ast.Expr) ast.Expr {
	switch e.(type) {
	case *ast.NumberExpr, *ast.ArithmeticOpExpr, *ast.UnaryMinusOpExpr, *ast.UnaryLenOpExpr:
		return e
	}
	return at(e, &ast.ArithmeticOpExpr{Operator: "/", Lhs: e, Rhs: at(e, &ast.NumberExpr{Value: "1"})})
}

// numeral rewrites a number of the text so that gopher-lua reads the same number as Lua.
// gopher-lua reads 017 as octal.
func (r *rewriter) numeral(e *ast.NumberExpr) {
	n, ok := parseNumber(e.Value, 10)
	if !ok {
		r.fail(e.Line(), "malformed number near '%s'", e.Value)
	}
	e.Value = strconv.FormatFloat(float64(n), 'e', -1, 64)
}

// threeExpressions adds the missing expressions of a generic 'for': gopher-lua does not
// loop over 'for k in next, t' at all.
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

// at gives a new node the lines of the node that it replaces.
func at[N ast.PositionHolder](old ast.PositionHolder, n N) N {
	n.SetLine(old.Line())
	n.SetLastLine(max(old.Line(), old.LastLine()))
	return n
}
