package fennel

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestLines checks that each piece of Lua is on the line of its form.
func TestLines(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"calls", "(print\n 1\n (+ 2\n    3))\n", "return print(\n  1,\n  2 +\n  3)\n"},
		{"function", "(fn f [x]\n  (print x)\n  (* x 2))\n(f 1)", "local function f(x)\n  print(x)\n  return x * 2 end\nreturn f(1)\n"},
		{"if", "(if a\n  (b)\n  (c)\n  (d))\nnil", "if a then\n  b() elseif\nc() then\n  d() end\nreturn nil\n"},
		{"moved up", "(print (if a\n 1 2)\n :x)", "local _1_; if a then\n  _1_ = 1 else _1_ = 2 end; return print(_1_,\n  \"x\")\n"},
		{"strings", "(print \"a\nb\")\n(x)", "print(\"a\\nb\")\n\nreturn x()\n"},
		{"parentheses", "(x)\n((y) 1)\n(: (fn []) :z)\n(. {} :x)", "x()\ny()(1);\n(function() end):z()\nreturn ({}).x\n"},
		{"table", "{:a 1\n :b-c [2\n 3]}", "return {a = 1,\n  [\"b-c\"] = {2,\n    3}}\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			program, err := Compile([]byte(c.src), Options{File: "t.fnl"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, program.Lua); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestRuntimeErrorLines checks that Lua names the line of the form at fault.
func TestRuntimeErrorLines(t *testing.T) {
	for _, c := range []struct {
		src  string
		want string
	}{
		{"(local t {})\n\n(print\n  t.x.y)", "t.fnl:4:"},
		{"(fn f [x]\n  (let [y (+ x 1)]\n    (error :boom)))\n(f 1)", "t.fnl:3:"},
		{"(macro m [x]\n  `(+ 1 ,x))\n(local a\n  (m nil))", "t.fnl:4:"},
		{"(local s\n  (icollect [_ x (ipairs [1])]\n    (if x\n      (x.y.z))))", "t.fnl:4:"},
		{"(case {:a 1}\n  {:b b} b\n  {:a a}\n  (a.x.y))", "t.fnl:4:"},
	} {
		got := run(t, c.src, Options{File: "t.fnl"})
		if !strings.HasPrefix(got, "error: "+c.want) {
			t.Errorf("%s\ngot %s, want %s", c.src, got, c.want)
		}
	}
}

// TestAmbiguousCalls checks that a statement in parentheses is not read as the arguments of
// the statement before it.
func TestAmbiguousCalls(t *testing.T) {
	check(t, []runCase{
		{"(var n 0)\n(local f #(set n (+ n $)))\n(f 1)\n((do f) 2)\n(#(f $) 3)\nn", "6"},
		{"(local t {})\n(tset (if t t nil) :a 1)\n(tset ((fn [] t)) :b 2)\nt", "[a=1 b=2]"},
		{"(local s :x) (: (.. s :y) :len)", "2"},
		{"[(: :abc :upper) (-  -1) (- (- 2)) (.. 5 6) (^ 2 -1)]", "[ABC 1 2 56 0.5]"},
	})
}
