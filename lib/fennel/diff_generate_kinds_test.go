package fennel_test

import (
	"fmt"
	"slices"
)

// Each method below returns an expression of one kind. Below a depth of zero it is a
// literal.

func (g *generator) number(depth int) string {
	n := func() string { return g.expr(num, depth) }
	if depth < 0 {
		return []string{"0", "1", "2", "-3", "7", "0.5", "10", "0x1f"}[g.IntN(8)]
	}
	return g.pick(
		func() string {
			return fmt.Sprintf("(%s %s %s)", []string{"+", "-", "*", "math.max"}[g.IntN(4)], n(), n())
		},
		func() string { return fmt.Sprintf("(%s %s %s %s)", []string{"+", "-", "*"}[g.IntN(3)], n(), n(), n()) },
		func() string { return fmt.Sprintf("(- %s)", n()) },
		func() string { return fmt.Sprintf("(%% %s %d)", n(), 2+g.IntN(9)) },
		func() string { return fmt.Sprintf("(/ %s %d)", n(), 2+g.IntN(3)) },
		func() string { return fmt.Sprintf("(length %s)", g.expr(seq, depth)) },
		func() string { return fmt.Sprintf("(length %s)", g.expr(str, depth)) },
		func() string { return fmt.Sprintf("(or (. %s :a) %s)", g.expr(tab, depth), n()) },
		func() string { return fmt.Sprintf("(or (?. %s :b) %s)", g.expr(tab, depth), n()) },
		func() string { return fmt.Sprintf("(or (. %s %d) 0)", g.expr(seq, depth), 1+g.IntN(3)) },
		func() string { return fmt.Sprintf("(%s %s)", g.expr(fun, depth), n()) },
		func() string { return fmt.Sprintf("(-> %s (+ %s) (* %s))", n(), n(), n()) },
		func() string { return fmt.Sprintf("(->> %s (- %s) (+ %s))", n(), n(), n()) },
		func() string { return fmt.Sprintf("(or (-?> (. %s :c) (+ %s)) %s)", g.expr(tab, depth), n(), n()) },
		func() string {
			return fmt.Sprintf("(accumulate [s_ %s _ v_ (ipairs %s)] (+ s_ v_))", n(), g.expr(seq, depth))
		},
		func() string { return fmt.Sprintf("(faccumulate [s_ %s i_ 1 3] (+ s_ i_ %s))", n(), n()) },
		func() string {
			return fmt.Sprintf("(do (fn go [i_ acc] (if (<= i_ 0) acc (go (- i_ 1) (+ acc %s)))) (go 3 %s))", n(), n())
		},
		func() string { return fmt.Sprintf("(select :# %s %s)", n(), g.sequenceTail(depth)) },
		func() string {
			if g.vararg {
				return "(select :# ...)"
			}
			return n()
		},
		func() string {
			if v := g.use(num, true); v != "" {
				return fmt.Sprintf("(do (set %s %s) %s)", v, n(), v)
			}
			return n()
		},
	)
}

func (g *generator) text(depth int) string {
	s := func() string { return g.expr(str, depth) }
	if depth < 0 {
		return []string{`"a"`, ":k", `""`, `"x y"`, `"\n\t"`, ":a-b", `"é"`, `"--]]"`}[g.IntN(8)]
	}
	return g.pick(
		func() string { return fmt.Sprintf("(.. %s %s)", s(), s()) },
		func() string { return fmt.Sprintf("(.. %s %s %s)", s(), g.expr(num, depth), s()) },
		func() string { return fmt.Sprintf("(: %s :upper)", s()) },
		func() string { return fmt.Sprintf("(string.sub %s 1 3)", s()) },
		func() string { return fmt.Sprintf("(tostring %s)", g.expr(num, depth)) },
		func() string { return fmt.Sprintf("(table.concat %s %s)", g.expr(seq, depth), s()) },
		func() string { return fmt.Sprintf("(string.format \"%%s|%%s\" %s %s)", s(), s()) },
		func() string { return fmt.Sprintf("(-> %s (string.rep 2) (.. %s))", s(), s()) },
	)
}

func (g *generator) truth(depth int) string {
	n := func() string { return g.expr(num, depth) }
	b := func() string { return g.expr(boolean, depth) }
	if depth < 0 {
		return []string{"true", "false"}[g.IntN(2)]
	}
	return g.pick(
		func() string {
			return fmt.Sprintf("(%s %s %s)", []string{"<", ">", "<=", ">=", "=", "not="}[g.IntN(6)], n(), n())
		},
		func() string {
			return fmt.Sprintf("(%s %s %s %s)", []string{"<", ">=", "=", "not="}[g.IntN(4)], n(), n(), n())
		},
		func() string { return fmt.Sprintf("(and %s %s)", b(), b()) },
		func() string { return fmt.Sprintf("(or %s %s %s)", b(), b(), b()) },
		func() string { return fmt.Sprintf("(not %s)", b()) },
		func() string { return fmt.Sprintf("(= %s %s)", g.expr(str, depth), g.expr(str, depth)) },
		func() string { return fmt.Sprintf("(= nil (. %s :c))", g.expr(tab, depth)) },
	)
}

func (g *generator) sequence(depth int) string {
	if depth < 0 {
		return []string{"[]", "[1]", "[1 2 3]", "[4 5]"}[g.IntN(4)]
	}
	n := func() string { return g.expr(num, depth) }
	return g.pick(
		func() string { return fmt.Sprintf("[%s %s]", n(), n()) },
		func() string { return fmt.Sprintf("[%s %s]", n(), g.sequenceTail(depth)) },
		func() string {
			return g.inner(func() string {
				from := g.expr(seq, depth)
				v := g.fresh()
				g.bind(v, num, false)
				return fmt.Sprintf("(icollect [_ %s (ipairs %s)] %s)", v, from, n())
			})
		},
		func() string {
			return g.inner(func() string {
				from := g.expr(seq, depth)
				v := g.fresh()
				g.bind(v, num, false)
				return fmt.Sprintf("(icollect [_ %s (ipairs %s) &until (> %s 3)] (when %s %s))", v, from, v, g.expr(boolean, depth), n())
			})
		},
		func() string {
			return g.inner(func() string {
				v := g.fresh()
				g.bind(v, num, false)
				return fmt.Sprintf("(fcollect [%s 1 %d] %s)", v, g.IntN(4), n())
			})
		},
		func() string { return fmt.Sprintf("(doto %s (table.insert %s))", g.sequence(-1), n()) },
		func() string {
			if g.vararg {
				return "[...]"
			}
			return fmt.Sprintf("[((fn [...] ...) %s %s)]", n(), n())
		},
	)
}

func (g *generator) table(depth int) string {
	if depth < 0 {
		return []string{"{:a 1}", "{}", "{:a 1 :b 2}"}[g.IntN(3)]
	}
	n := func() string { return g.expr(num, depth) }
	return g.pick(
		func() string { return fmt.Sprintf("{:a %s :b %s}", n(), n()) },
		func() string { return fmt.Sprintf("{:a %s (.. :c \"\") %s}", n(), n()) },
		func() string {
			return fmt.Sprintf("(collect [k_ v_ (pairs %s)] (values k_ (+ v_ %s)))", g.expr(tab, depth), n())
		},
		func() string {
			return fmt.Sprintf("(collect [k_ v_ (pairs %s)] k_ (when (> v_ %s) v_))", g.expr(tab, depth), n())
		},
		func() string { return fmt.Sprintf("(let [t_ {}] (set t_.a %s) (tset t_ :b %s) t_)", n(), n()) },
		func() string {
			return fmt.Sprintf("(let [{:a x_ & r_} {:a 1 :b %s :c %s}] r_)", n(), n())
		},
	)
}

func (g *generator) function(depth int) string {
	if depth < 0 {
		return []string{"#(+ $ 1)", "#$1", "#(* 2 $)"}[g.IntN(3)]
	}
	return g.inner(func() string {
		switch g.IntN(4) {
		case 0:
			return fmt.Sprintf("(partial + %s)", g.expr(num, depth))
		case 1:
			g.vararg = false
			g.bind("$", num, false)
			return "#" + "(+ $ " + g.expr(num, 0) + ")"
		}
		p := g.fresh()
		g.vararg = false
		g.vars = slices.DeleteFunc(slices.Clone(g.vars), func(v variable) bool { return v.name == "$" })
		g.bind(p, num, false)
		return fmt.Sprintf("(%s [%s] %s)", []string{"fn", "lambda"}[g.IntN(2)], p, g.body(num, depth))
	})
}
