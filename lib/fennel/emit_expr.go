package fennel

import "strings"

func (p *printer) exprs(list []luaExpr) {
	for i, e := range list {
		if i > 0 {
			p.comma()
		}
		p.expr(e)
	}
}

func (p *printer) comma() {
	p.space = false
	p.text(",")
	p.space = true
}

func (p *printer) expr(e luaExpr) {
	p.step()
	p.goTo(e.lineOf())
	switch e := e.(type) {
	case *luaName:
		p.text(e.name)
	case *luaLiteral:
		p.text(e.text)
	case *luaString:
		p.text(quoteLua(e.value))
	case *luaVararg:
		p.text("...")
	case *luaIndex:
		p.prefix(e.object)
		p.index(e.key)
	case *luaCall:
		p.prefix(e.callee)
		p.args(e.args)
	case *luaMethod:
		p.prefix(e.object)
		p.text(":" + e.name)
		p.args(e.args)
	case *luaBinary:
		for i, operand := range e.operands {
			if i > 0 {
				p.word(e.op)
			}
			p.operand(operand, i == 0 && e.op == "^")
		}
	case *luaUnary:
		p.text(e.op)
		p.operand(e.operand, false)
	case *luaFunction:
		if e.file != "" {
			p.module(e)
			break
		}
		p.text("function")
		p.function(e)
	case *luaTable:
		p.table(e)
	case *luaParen:
		p.parens(e.inner)
	case *luaRaw:
		p.text(e.text)
	}
}

func (p *printer) parens(e luaExpr) {
	p.text("(")
	p.expr(e)
	p.text(")")
}

// args writes the arguments of a call. Lua 5.1 requires the parenthesis on the line of the
// called expression.
func (p *printer) args(args []luaExpr) {
	p.text("(")
	p.indent++
	p.exprs(args)
	p.indent--
	p.text(")")
}

// index writes one field access.
func (p *printer) index(key luaExpr) {
	if name, ok := fieldName(key); ok {
		p.text("." + name)
		return
	}
	p.text("[")
	p.expr(key)
	p.text("]")
}

// fieldName returns the key of a table as a bare name, if it is a Lua identifier.
func fieldName(key luaExpr) (string, bool) {
	s, ok := key.(*luaString)
	if !ok || !isLuaName(s.value) {
		return "", false
	}
	return s.value, true
}

// prefix writes e as a prefix expression of Lua, which can be called or indexed.
func (p *printer) prefix(e luaExpr) {
	if needsParens(e) {
		p.goTo(e.lineOf())
		p.parens(e)
		return
	}
	p.expr(e)
}

func needsParens(e luaExpr) bool {
	switch e.(type) {
	case *luaName, *luaIndex, *luaCall, *luaMethod, *luaParen:
		return false
	}
	return true
}

// operand writes e beside an operator. Operations are parenthesised, so that precedence
// never matters, and so are negative numerals, because of --2. The base of a power is an
// exception: the language defines (^ -2 2) by Lua's -2^2, which is -4.
func (p *printer) operand(e luaExpr, base bool) {
	p.goTo(e.lineOf())
	if bracketed(e, base) {
		p.parens(e)
		return
	}
	p.expr(e)
}

// bracketed reports whether e is parenthesised beside an operator.
func bracketed(e luaExpr, base bool) bool {
	switch e := e.(type) {
	case *luaBinary, *luaUnary, *luaRaw:
		return true
	case *luaLiteral:
		return e.text[0] == '-' && !base
	}
	return false
}

func (p *printer) function(f *luaFunction) {
	params := f.params
	if f.vararg {
		params = append(params[:len(params):len(params)], "...")
	}
	p.text("(" + strings.Join(params, ", ") + ")")
	p.body(f.body)
}

// module writes a function whose body is a file, and returns to the current file.
func (p *printer) module(f *luaFunction) {
	file, line := p.file, p.line
	p.enter(f.file, 1)
	p.text("function")
	p.function(f)
	p.enter(file, line)
}

func (p *printer) table(t *luaTable) {
	p.text("{")
	p.indent++
	for i, v := range t.values {
		if i > 0 {
			p.comma()
		}
		if k := t.keys[i]; k != nil {
			p.key(k)
			p.word("=")
		}
		p.expr(v)
	}
	p.indent--
	p.text("}")
}

func (p *printer) key(k luaExpr) {
	p.goTo(k.lineOf())
	if name, ok := fieldName(k); ok {
		p.text(name)
		return
	}
	p.text("[")
	p.expr(k)
	p.text("]")
}
