package fennel_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// A kind is the type of a generated expression's value. Typed expressions let most
// generated programs run to their end.
type kind int

const (
	num kind = iota
	str
	boolean
	seq // a sequence of numbers
	tab // a table with numbers under some of the keys :a, :b and :c
	fun // a function of one number that returns a number
	kinds
)

// A variable is a name that the generated program may use.
type variable struct {
	name    string
	kind    kind
	mutable bool
}

// A generator makes random well-formed programs. The same seed makes the same program.
type generator struct {
	*rand.Rand
	vars   []variable
	names  int
	vararg bool // the current code is in a function with "..."
}

// generate returns the top-level forms of one program.
func generate(seed uint64) []string {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1))}
	var forms []string
	for range 2 + g.IntN(5) {
		forms = append(forms, g.statement(3))
	}
	return append(forms, g.result(3))
}

// result returns a last form that has several values.
func (g *generator) result(depth int) string {
	switch g.IntN(4) {
	case 0:
		return fmt.Sprintf("(values %s %s)", g.expr(g.anyKind(), depth), g.expr(g.anyKind(), depth))
	case 1:
		return fmt.Sprintf("(if %s (values %s %s) %s)", g.expr(boolean, 1), g.expr(num, depth), g.expr(str, depth), g.expr(seq, depth))
	}
	var all []string
	for _, v := range g.vars {
		if v.kind != fun {
			all = append(all, v.name)
		}
	}
	return fmt.Sprintf("[[%s] %s]", strings.Join(all, " "), g.expr(g.anyKind(), depth))
}

func (g *generator) anyKind() kind { return kind(g.IntN(int(kinds))) }

// pick calls one of its arguments and returns the result.
func (g *generator) pick(choices ...func() string) string {
	return choices[g.IntN(len(choices))]()
}

// oddNames has one name of each kind that the mangling distinguishes.
var oddNames = []string{"x", "x-y", "x_y", "end", "a?", "a!", "é", "not-nil", "goto", "_x", "x0", "->x"}

// fresh returns a new name. Some need mangling, some shadow another name.
func (g *generator) fresh() string {
	g.names++
	if g.IntN(4) == 0 {
		return oddNames[g.IntN(len(oddNames))]
	}
	return fmt.Sprintf("%c%d", 'a'+rune(g.IntN(4)), g.names)
}

// inner generates f in a new scope.
func (g *generator) inner(f func() string) string {
	vars, vararg := g.vars, g.vararg // bind never writes to the old slice
	defer func() { g.vars, g.vararg = vars, vararg }()
	return f()
}

func (g *generator) bind(name string, k kind, mutable bool) {
	// A name that is bound again hides the old one, whatever its kind.
	g.vars = slices.DeleteFunc(slices.Clone(g.vars), func(v variable) bool { return v.name == name })
	g.vars = append(g.vars, variable{name, k, mutable})
}

// let returns a let of one or two bindings.
func (g *generator) let(k kind, depth int) string {
	return g.inner(func() string {
		var b strings.Builder
		for range 1 + g.IntN(2) {
			fmt.Fprintf(&b, "%s ", g.binding(depth-1, false))
		}
		return fmt.Sprintf("(let [%s] %s)", strings.TrimSpace(b.String()), g.body(k, depth-1))
	})
}

// binding returns a target and its value, for let and local, and binds the names.
func (g *generator) binding(depth int, mutable bool) string {
	a, b, c := g.fresh(), g.fresh(), g.fresh()
	for a == b || b == c || a == c {
		b, c = g.fresh(), g.fresh()
	}
	switch g.IntN(9) {
	case 0:
		value := fmt.Sprintf("[%s %s]", g.expr(num, depth), g.expr(str, depth))
		g.bind(a, num, mutable)
		g.bind(b, str, mutable)
		return fmt.Sprintf("[%s %s] %s", a, b, value)
	case 1:
		value := fmt.Sprintf("(values %s %s)", g.expr(num, depth), g.expr(seq, depth))
		g.bind(a, num, mutable)
		g.bind(b, seq, mutable)
		return fmt.Sprintf("(%s %s) %s", a, b, value)
	case 2:
		value := fmt.Sprintf("{:k %s :l %s}", g.expr(num, depth), g.expr(str, depth))
		g.bind(a, num, mutable)
		g.bind(b, str, mutable)
		return fmt.Sprintf("{:k %s :l %s} %s", a, b, value)
	case 3:
		value := fmt.Sprintf("[%s %s]", g.expr(num, depth), g.sequenceTail(depth))
		g.bind(a, num, mutable)
		g.bind(b, seq, mutable)
		return fmt.Sprintf("[%s & %s] %s", a, b, value)
	case 4:
		value := fmt.Sprintf("[%s {:m %s}]", g.expr(num, depth), g.expr(boolean, depth))
		g.bind(a, num, mutable)
		g.bind(b, boolean, mutable)
		return fmt.Sprintf("[%s {:m %s} &as %s] %s", a, b, c, value)
	}
	k := g.anyKind()
	value := g.expr(k, depth)
	g.bind(a, k, mutable)
	return a + " " + value
}

// sequenceTail returns expressions for the end of a sequence of numbers.
func (g *generator) sequenceTail(depth int) string {
	return g.pick(
		func() string { return g.expr(num, depth) },
		func() string { return fmt.Sprintf("%s %s", g.expr(num, depth), g.expr(num, depth)) },
		func() string { return fmt.Sprintf("(values %s %s)", g.expr(num, depth), g.expr(num, depth)) },
		func() string {
			return fmt.Sprintf("(if %s (values %s %s) %s)", g.expr(boolean, depth), g.expr(num, depth), g.expr(num, depth), g.expr(num, depth))
		},
		func() string { return fmt.Sprintf("((fn [] (values %s %s)))", g.expr(num, 0), g.expr(num, 0)) },
		func() string { return fmt.Sprintf("(unpack %s)", g.expr(seq, depth)) },
	)
}

// body returns statements and a last expression of kind k.
func (g *generator) body(k kind, depth int) string {
	if depth <= 0 || g.IntN(2) == 0 {
		return g.expr(k, depth)
	}
	return g.inner(func() string {
		s := g.statement(depth - 1)
		return s + " " + g.expr(k, depth-1)
	})
}

// block returns only statements.
func (g *generator) block(depth int) string {
	return g.inner(func() string {
		s := g.statement(depth)
		if g.IntN(3) == 0 {
			s += " " + g.statement(depth)
		}
		return s
	})
}

// use returns a variable of kind k, or "" if none exists.
func (g *generator) use(k kind, mutable bool) string {
	var names []string
	for _, v := range g.vars {
		if v.kind == k && (v.mutable || !mutable) {
			names = append(names, v.name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return names[g.IntN(len(names))]
}

// expr returns an expression of kind k. At depth 0 it is a literal or a variable.
func (g *generator) expr(k kind, depth int) string {
	if v := g.use(k, false); v != "" && (depth <= 0 || g.IntN(4) == 0) {
		return v
	}
	if depth > 0 && g.IntN(3) == 0 {
		return g.common(k, depth-1)
	}
	switch k {
	case num:
		return g.number(depth - 1)
	case str:
		return g.text(depth - 1)
	case boolean:
		return g.truth(depth - 1)
	case seq:
		return g.sequence(depth - 1)
	case tab:
		return g.table(depth - 1)
	}
	return g.function(depth - 1)
}

// common returns one of the forms that can have any kind.
func (g *generator) common(k kind, depth int) string {
	e := func() string { return g.expr(k, depth) }
	return g.pick(
		func() string { return fmt.Sprintf("(if %s %s %s)", g.expr(boolean, depth), e(), e()) },
		func() string {
			return fmt.Sprintf("(if %s %s %s %s %s)", g.expr(boolean, depth), e(), g.expr(boolean, depth), e(), e())
		},
		func() string { return g.let(k, depth) },
		func() string { return fmt.Sprintf("(do %s)", g.body(k, depth)) },
		func() string { return fmt.Sprintf("(note %s)", e()) },
		func() string { return fmt.Sprintf("(or (and %s %s) %s)", g.expr(boolean, depth), e(), e()) },
		func() string { return fmt.Sprintf("(pick-values 1 (values %s %s))", e(), g.expr(num, 0)) },
		func() string { return g.match(k, depth) },
		func() string { return g.match(k, depth) },
		func() string { return g.call(k, depth) },
		func() string {
			return fmt.Sprintf("(case-try %s %d %s %s %s (catch _ %s))", g.expr(num, depth), g.IntN(3), g.expr(num, depth), g.fresh(), e(), e())
		},
	)
}

// call returns a function literal and its call.
func (g *generator) call(k kind, depth int) string {
	arg, rest := g.expr(num, depth), g.expr(num, depth)
	return g.inner(func() string {
		p, q := g.fresh(), g.fresh()
		for p == q {
			q = g.fresh()
		}
		head := g.pick(
			func() string { return "(fn [" + p + " " + q + "] " },
			func() string { return "(fn named [" + p + " " + q + "] " },
			func() string { return "(lambda [" + p + " " + q + "] " },
			func() string { return "(fn [" + p + " ...] " },
		)
		g.vararg = strings.Contains(head, "...")
		g.bind(p, num, false)
		if !g.vararg {
			g.bind(q, num, false)
		}
		return fmt.Sprintf("(%s%s) %s %s)", head, g.body(k, depth), arg, rest)
	})
}

// match returns a case or match whose last clause matches everything.
func (g *generator) match(k kind, depth int) string {
	var clauses []string
	subject := g.pick(
		func() string { return g.expr(num, depth) },
		func() string { return g.expr(seq, depth) },
		func() string { return g.expr(tab, depth) },
		func() string { return g.expr(str, depth) },
		func() string { return fmt.Sprintf("(values %s %s)", g.expr(num, depth), g.expr(boolean, depth)) },
		func() string { return fmt.Sprintf("[%s %s]", g.expr(num, depth), g.expr(num, depth)) },
	)
	word := []string{"case", "match"}[g.IntN(2)]
	for range 1 + g.IntN(3) {
		clauses = append(clauses, g.inner(func() string {
			return fmt.Sprintf("%s (do %s)", g.pattern(word), g.body(k, depth))
		}))
	}
	return fmt.Sprintf("(%s %s %s _ %s)", word, subject, strings.Join(clauses, " "), g.expr(k, depth))
}

// pattern returns the left side of a clause. A program may use a name of it only if the guard
// ensures the kind of its value.
func (g *generator) pattern(word string) string {
	a, b := fmt.Sprintf("p%d", g.names), fmt.Sprintf("q%d", g.names)
	g.names++
	number := func(name string) string { return fmt.Sprintf("(= :number (type %s))", name) }
	return g.pick(
		func() string { return strconv.Itoa(g.IntN(4)) },
		func() string { return "nil" },
		func() string { return `:k` },
		func() string { return fmt.Sprintf("[%s]", a) },
		func() string { return fmt.Sprintf("[%s %s]", a, a) },
		func() string { return fmt.Sprintf("[%s & %s]", a, b) },
		func() string { return fmt.Sprintf("{:a %s}", a) },
		func() string { return fmt.Sprintf("{: %s :b ?%s}", "a", b) },
		func() string { return fmt.Sprintf("(%s %s)", a, b) },
		func() string { return fmt.Sprintf("(where (or %d %d))", g.IntN(3), g.IntN(3)) },
		func() string { g.bind(a, num, false); return fmt.Sprintf("(where %s %s)", a, number(a)) },
		func() string {
			g.bind(a, num, false)
			g.bind(b, num, false)
			return fmt.Sprintf("(where [%s %s] %s %s)", a, b, number(a), number(b))
		},
		func() string {
			g.bind(a, num, false)
			return fmt.Sprintf("(where (or [%s] {:a %s}) %s)", a, a, number(a))
		},
		func() string {
			if v := g.use(num, false); v != "" && word == "case" {
				return fmt.Sprintf("(where (= %s))", v)
			}
			return "[]"
		},
	)
}

// statement returns a form with effects, and binds the names that it declares.
func (g *generator) statement(depth int) string {
	return g.pick(
		func() string { return fmt.Sprintf("(local %s)", g.binding(depth, false)) },
		func() string { return fmt.Sprintf("(var %s)", g.binding(depth, true)) },
		func() string { return fmt.Sprintf("(note %s)", g.expr(g.anyKind(), depth)) },
		func() string {
			k := g.anyKind()
			if v := g.use(k, true); v != "" {
				return fmt.Sprintf("(set %s %s)", v, g.expr(k, depth))
			}
			return fmt.Sprintf("(var %s)", g.binding(depth, true))
		},
		func() string {
			a, b := g.use(num, true), g.use(num, true)
			if a == "" || a == b {
				return fmt.Sprintf("(var %s)", g.binding(depth, true))
			}
			return g.pick(
				func() string { return fmt.Sprintf("(set (%s %s) (values %s %s))", a, b, b, g.expr(num, depth)) },
				func() string { return fmt.Sprintf("(set [%s %s] [%s %s])", a, b, b, a) },
			)
		},
		func() string {
			if v := g.use(tab, false); v != "" {
				return fmt.Sprintf("(set %s.b %s)", v, g.expr(num, depth))
			}
			return fmt.Sprintf("(note %s)", g.expr(tab, depth))
		},
		func() string { return g.define(depth) },
		func() string { return g.define(depth) },
		func() string {
			if depth <= 0 {
				return "(note 1)"
			}
			return g.loop(depth - 1)
		},
		func() string {
			if depth <= 0 {
				return "nil"
			}
			return fmt.Sprintf("(when %s %s)", g.expr(boolean, depth-1), g.block(depth-1))
		},
		func() string {
			if depth <= 0 {
				return "(note 2)"
			}
			return fmt.Sprintf("(if %s (do %s) (do %s))", g.expr(boolean, depth-1), g.block(depth-1), g.block(depth-1))
		},
		func() string {
			if depth <= 0 {
				return "(do)"
			}
			return g.match(num, depth-1)
		},
	)
}

// define returns a named function, which later forms may call.
func (g *generator) define(depth int) string {
	name := g.fresh()
	text := g.inner(func() string {
		p := g.fresh()
		g.vararg = g.IntN(4) == 0
		tail := ""
		if g.vararg {
			tail = " ..."
		}
		g.vars = slices.DeleteFunc(slices.Clone(g.vars), func(v variable) bool { return v.name == name || v.name == "$" })
		g.bind(p, num, false)
		doc := []string{"", `"doc" `, "{:fnl/k 1} "}[g.IntN(3)]
		return fmt.Sprintf("(fn %s [%s%s] %s%s)", name, p, tail, doc, g.body(num, depth-1))
	})
	g.bind(name, fun, false)
	return text
}

// loop returns a loop that ends soon.
func (g *generator) loop(depth int) string {
	return g.inner(func() string {
		v := g.fresh()
		switch g.IntN(4) {
		case 0:
			from := g.expr(seq, depth)
			g.bind(v, num, false)
			return fmt.Sprintf("(each [_ %s (ipairs %s)] %s)", v, from, g.block(depth))
		case 1:
			bounds := fmt.Sprintf("1 %d", g.IntN(4))
			g.bind(v, num, false)
			return fmt.Sprintf("(for [%s %s &until (> %s %s)] %s)", v, bounds, v, g.expr(num, depth), g.block(depth))
		case 2:
			g.bind(v, num, false)
			return fmt.Sprintf("(for [%s 3 1 -1] %s)", v, g.block(depth))
		}
		count := fmt.Sprintf("n%d", g.names)
		return fmt.Sprintf("(do (var %s 0) (while (and (< %s 3) %s) (set %s (+ %s 1)) %s))",
			count, count, g.expr(boolean, depth), count, count, g.block(depth))
	})
}
