package fennel

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quire/lib/diag"
)

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		src  string
		want []string
	}{
		{"(foo bar)", []string{"1:2 unknown identifier: foo", "1:6 unknown identifier: bar"}},
		{"(fn f []\n  (let [x 1]\n    (if x (nope) y.z)))", []string{
			"3:12 unknown identifier: nope", "3:18 unknown identifier: y"}},
		{"(local x 1)\n(set x 2)\n(set y 3)", []string{"2:6 expected var x", "3:6 expected local y"}},
		{"(let [a 1 b] (q))", []string{"1:6 expected even number of name/value bindings", "1:15 unknown identifier: q"}},
		{"(local a (let [1 2] 3))\n(print a)", []string{"1:16 unable to bind number 1"}},
		{"(fn f [x 1] (f x))\n(f 1)", []string{"1:10 expected symbol for function parameter: 1"}},
		{"(1 2)", []string{"1:1 cannot call literal value 1"}},
		{"()", []string{"1:1 expected a function, macro, or special to call"}},
		{"(do (f)(fn [] ...))", []string{"1:8 expected whitespace before opening delimiter ("}},
		{"(fn [] ...)", []string{"1:8 unexpected vararg"}},
		{"#(print ...)", []string{"1:9 use $... in hashfn"}},
		{"[(local x 1)]", []string{"1:2 can't introduce local here"}},
		{"(print let when)", []string{
			"1:8 tried to reference a special form without calling it: let",
			"1:12 tried to reference a macro without calling it: when"}},
		{"(case 1 (or a b) 2)", []string{"1:9 (or) must be used in (where) patterns"}},
		{"(case 1 [(a b)] 2)", []string{"1:10 can't nest multi-value destructuring"}},
		{"(local t {}) (t:m.n)", []string{"1:15 method must be last component of multisym: t:m.n"}},
		{"(local t {}) (print t:m)", []string{"1:21 multisym method calls may only be in call position"}},
		{"(band 1 2)", []string{"1:1 Lua 5.1 has no operators on bits"}},
		{"(let [pairs #(pairs $)] pairs)", []string{"1:7 use of global pairs is aliased by a local"}},
		{"'x", []string{"1:2 symbols may only be used at compile time"}},
	} {
		t.Run(c.src, func(t *testing.T) {
			_, err := Compile([]byte(c.src), Options{File: "t.fnl", Globals: luaGlobals})
			wantErrors(t, err, c.want...)
		})
	}
}

func TestErrorText(t *testing.T) {
	_, err := Compile([]byte("(local x 1)\n\t(pritn \"é\" x)\n"), Options{File: "a:b.fnl", Globals: luaGlobals})
	var list diag.List
	if !errors.As(err, &list) {
		t.Fatalf("got %v", err)
	}
	want := "a:b.fnl:2:3: unknown identifier: pritn\n     (pritn \"é\" x)\n      ^\n    hint: did you mean print?\n"
	if diff := cmp.Diff(want, list.Text()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestNoCheckOfGlobals(t *testing.T) {
	if _, err := Compile([]byte("(foo bar.baz)"), Options{}); err != nil {
		t.Error(err)
	}
}

func TestErrorsAreBounded(t *testing.T) {
	_, err := Compile([]byte(strings.Repeat("(foo)\n", 10_000)), Options{Globals: []string{}})
	var list diag.List
	if !errors.As(err, &list) || len(list) != maxErrors {
		t.Errorf("%d errors, want %d", len(list), maxErrors)
	}
}
