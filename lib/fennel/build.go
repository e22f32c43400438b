package fennel

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"

	"quire/lib/vm"
)

// A builder makes of the tree of Lua the one that gopher-lua would parse out of what
// the printer writes, to the rows of all its nodes, and without the text: to print and
// to parse take longer than all the rest of compiling a usual pipeline.
type builder struct {
	cursor
	raw bool // there is text in the tree, which has to be parsed
}

// load makes a function of the chunk b out of file. Its errors are those of vm.Load.
func load(b *block, file string, v *vm.VM) (*lua.LFunction, error) {
	if chunk, ok := build(b, file); ok {
		return v.LoadChunk(chunk)
	}
	text, lines := printLua(b, file)
	return v.Load(text, file, lines...)
}

// build returns the chunk b out of file as it would be parsed. It is not ok where there is
// text in it.
func build(b *block, file string) (chunk vm.Chunk, ok bool) {
	t := &builder{cursor: start(file)}
	stmts := t.block(b)
	return vm.Chunk{Name: file, Stmts: stmts, Lines: t.moved}, !t.raw
}

// lined is a node that has a line.
type lined interface{ SetLine(int) }

// on puts a node on a row.
func on[T lined](row int, node T) T {
	node.SetLine(row)
	return node
}

func (t *builder) block(b *block) []ast.Stmt {
	stats := make([]ast.Stmt, 0, len(b.stats))
	for _, s := range b.stats {
		t.goTo(s.lineOf())
		if made := t.statement(s); made != nil {
			stats = append(stats, made)
		}
	}
	return stats
}

// statement returns nil for what is nothing in Lua.
func (t *builder) statement(s luaStat) ast.Stmt {
	row := t.row
	switch s := s.(type) {
	case *statLocal:
		return on(row, &ast.LocalAssignStmt{Names: s.names, Exprs: t.exprs(s.values)})
	case *statLocalFunction:
		fn := t.function(s.fn)
		local := on(row, &ast.LocalAssignStmt{Names: []string{s.name}, Exprs: []ast.Expr{fn}})
		local.SetLastLine(fn.LastLine())
		return local
	case *statAssign:
		targets := t.exprs(s.targets)
		return on(targets[0].Line(), &ast.AssignStmt{Lhs: targets, Rhs: t.exprs(s.values)})
	case *statCall:
		call := t.expr(s.call)
		return on(call.Line(), &ast.FuncCallStmt{Expr: call})
	case *statIf:
		return t.ifStatement(s)
	case *statWhile:
		return t.end(on(row, &ast.WhileStmt{Condition: t.expr(s.cond), Stmts: t.block(s.body)}))
	case *statFor:
		loop := on(row, &ast.NumberForStmt{Name: s.name, Init: t.expr(s.bounds[0]), Limit: t.expr(s.bounds[1])})
		if len(s.bounds) > 2 {
			loop.Step = t.expr(s.bounds[2])
		}
		loop.Stmts = t.block(s.body)
		return t.end(loop)
	case *statForIn:
		return t.end(on(row, &ast.GenericForStmt{Names: s.names, Exprs: t.exprs(s.exprs), Stmts: t.block(s.body)}))
	case *statDo:
		return t.end(on(row, &ast.DoBlockStmt{Stmts: t.block(s.body)}))
	case *statReturn:
		return on(row, &ast.ReturnStmt{Exprs: t.exprs(s.values)})
	case *statBreak:
		return on(row, &ast.BreakStmt{})
	case *statRaw:
		t.raw = true
	}
	return nil
}

// end puts the end of a statement on the present row.
func (t *builder) end(s ast.Stmt) ast.Stmt {
	s.SetLastLine(t.row)
	return s
}

func (t *builder) ifStatement(s *statIf) ast.Stmt {
	var first, last *ast.IfStmt
	for _, b := range s.branches {
		branch := on(t.row, &ast.IfStmt{})
		branch.Condition, branch.Then = t.expr(b.cond), t.block(b.body)
		if first == nil {
			first = branch
		} else {
			last.Else = []ast.Stmt{branch}
		}
		last = branch
	}
	if s.orElse != nil {
		last.Else = t.block(s.orElse)
	}
	return t.end(first)
}

func (t *builder) exprs(list []luaExpr) []ast.Expr {
	made := make([]ast.Expr, len(list))
	for i, e := range list {
		made[i] = t.expr(e)
	}
	return made
}

func (t *builder) expr(e luaExpr) ast.Expr {
	t.goTo(e.lineOf())
	row := t.row
	switch e := e.(type) {
	case *luaName:
		return on(row, &ast.IdentExpr{Value: e.name})
	case *luaLiteral:
		return t.literal(e.text)
	case *luaString:
		return on(row, &ast.StringExpr{Value: e.value})
	case *luaVararg:
		return on(row, &ast.Comma3Expr{})
	case *luaIndex:
		object := t.prefix(e.object)
		return on(object.Line(), &ast.AttrGetExpr{Object: object, Key: t.index(e.key)})
	case *luaCall:
		callee := t.prefix(e.callee)
		return on(callee.Line(), &ast.FuncCallExpr{Func: callee, Args: t.exprs(e.args)})
	case *luaMethod:
		object := t.prefix(e.object)
		return on(object.Line(), &ast.FuncCallExpr{Receiver: object, Method: e.name, Args: t.exprs(e.args)})
	case *luaBinary:
		return t.binary(e)
	case *luaUnary:
		return unaryExpr(e.op, t.operand(e.operand))
	case *luaFunction:
		return t.function(e)
	case *luaTable:
		return t.table(e)
	case *luaParen:
		return t.parens(e.inner)
	}
	t.raw = true
	return on(row, &ast.NilExpr{})
}

// literal makes a literal, which is a numeral, a numeral with its sign, or one of the
// quotients that have no numeral.
func (t *builder) literal(text string) ast.Expr {
	switch text {
	case "nil":
		return on(t.row, &ast.NilExpr{})
	case "true":
		return on(t.row, &ast.TrueExpr{})
	case "false":
		return on(t.row, &ast.FalseExpr{})
	}
	if quotient, ok := strings.CutPrefix(text, "("); ok {
		over, under, _ := strings.Cut(strings.TrimSuffix(quotient, ")"), "/")
		return binaryExpr("/", t.literal(over), t.literal(under))
	}
	if digits, ok := strings.CutPrefix(text, "-"); ok {
		return unaryExpr("-", t.literal(digits))
	}
	return on(t.row, &ast.NumberExpr{Value: text})
}

// parens makes of e what it is in parentheses. They begin on the present row.
func (t *builder) parens(e luaExpr) ast.Expr {
	row := t.row
	made := t.expr(e)
	switch made := made.(type) {
	case *ast.FuncCallExpr:
		made.AdjustRet = true
		if _, again := e.(*luaParen); !again {
			return made // on the row of what is called
		}
	case *ast.Comma3Expr:
		made.AdjustRet = true
	}
	return on(row, made)
}

// prefix makes what is called or indexed.
func (t *builder) prefix(e luaExpr) ast.Expr { return t.within(needsParens(e), e) }

// operand makes what stands beside an operator.
func (t *builder) operand(e luaExpr) ast.Expr { return t.within(bracketed(e, false), e) }

// within makes e, in parentheses where it needs them.
func (t *builder) within(parens bool, e luaExpr) ast.Expr {
	if !parens {
		return t.expr(e)
	}
	t.goTo(e.lineOf())
	return t.parens(e)
}

// index makes a key, which as a bare name has no line of its own.
func (t *builder) index(key luaExpr) ast.Expr {
	if name, ok := fieldName(key); ok {
		return on(t.row, &ast.StringExpr{Value: name})
	}
	return t.expr(key)
}

func (t *builder) binary(e *luaBinary) ast.Expr {
	operands := make([]ast.Expr, len(e.operands))
	for i, operand := range e.operands {
		operands[i] = t.operand(operand)
	}
	if e.op == ".." || e.op == "^" { // to the right first
		last := len(operands) - 1
		made := operands[last]
		for i := last - 1; i > 0; i-- {
			made = binaryExpr(e.op, operands[i], made)
		}
		if numeral, ok := e.operands[0].(*luaLiteral); ok && e.op == "^" && numeral.text[0] == '-' {
			minus := operands[0].(*ast.UnaryMinusOpExpr)
			return unaryExpr("-", binaryExpr(e.op, minus.Expr, made)) // -2^2 is -(2^2)
		}
		return binaryExpr(e.op, operands[0], made)
	}
	made := operands[0]
	for _, operand := range operands[1:] {
		made = binaryExpr(e.op, made, operand)
	}
	return made
}

// binaryExpr has the row of what is left.
func binaryExpr(op string, left, right ast.Expr) ast.Expr {
	switch op {
	case "and", "or":
		return on(left.Line(), &ast.LogicalOpExpr{Operator: op, Lhs: left, Rhs: right})
	case "==", "~=", "<", "<=", ">", ">=":
		return on(left.Line(), &ast.RelationalOpExpr{Operator: op, Lhs: left, Rhs: right})
	case "..":
		return on(left.Line(), &ast.StringConcatOpExpr{Lhs: left, Rhs: right})
	}
	return on(left.Line(), &ast.ArithmeticOpExpr{Operator: op, Lhs: left, Rhs: right})
}

// unaryExpr has the row of its operand.
func unaryExpr(op string, operand ast.Expr) ast.Expr {
	switch op {
	case "not ":
		return on(operand.Line(), &ast.UnaryNotOpExpr{Expr: operand})
	case "#":
		return on(operand.Line(), &ast.UnaryLenOpExpr{Expr: operand})
	}
	return on(operand.Line(), &ast.UnaryMinusOpExpr{Expr: operand})
}

func (t *builder) function(f *luaFunction) *ast.FunctionExpr {
	file, line := t.file, t.line
	if f.file != "" {
		t.enter(f.file, 1)
	}
	made := on(t.row, &ast.FunctionExpr{ParList: &ast.ParList{HasVargs: f.vararg, Names: f.params}})
	made.Stmts = t.block(f.body)
	made.SetLastLine(t.row)
	if f.file != "" {
		t.enter(file, line)
	}
	return made
}

func (t *builder) table(e *luaTable) ast.Expr {
	made := on(t.row, &ast.TableExpr{Fields: make([]*ast.Field, len(e.values))})
	for i, v := range e.values {
		f := &ast.Field{}
		if k := e.keys[i]; k != nil {
			t.goTo(k.lineOf())
			f.Key = t.expr(k)
		}
		f.Value = t.expr(v)
		made.Fields[i] = f
	}
	return made
}
