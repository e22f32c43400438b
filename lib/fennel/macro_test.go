package fennel

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quire/lib/vm"
)

func TestUserMacros(t *testing.T) {
	check(t, []runCase{
		{"(macro twice [x] `(+ ,x ,x)) (twice 4)", "8"},
		{"(macro swap! [a b] `(let [tmp# ,a] (set ,a ,b) (set ,b tmp#))) (var x 1) (var y 2) (local tmp 5) (swap! x y) [x y tmp]", "[2 1 5]"},
		{"(macro my-let [name ...] `(let [,name 1] ,...)) (my-let q 1 (+ q 1))", "2"},
		{"(macros {:a #`(+ 1 ,$) :b (fn [] \"x\")}) [(a 2) (b)]", "[3 x]"},
		{"(macro build [n] (let [t []] (for [i 1 n] (table.insert t i)) t)) (build 3)", "[1 2 3]"},
		{"(macro names [{: a : b} [c]] `[,(tostring a) ,(tostring b) ,(tostring c)]) (names {:a x :b y} [z])", "[x y z]"},
		{"(macro keys [t] (icollect [k (pairs t)] k)) (keys {:z 1 :y 2 :a 3})", "[z y a]"},
		{"(macro kinds [...] (icollect [_ x (ipairs [...])] (if (sym? x) :sym (list? x) :list (sequence? x) :seq (table? x) :table (type x)))) (kinds a (b) [c] {:d 1} 1 :e true)", "[sym list seq table number string boolean]"},
		{"(macro outer [x] `(inner ,x)) (macro inner [x] `(* 2 ,x)) (outer 4)", "8"},
		{"(macro scoped [x] (if (in-scope? x) :yes :no)) (local here 1) [(scoped here) (scoped there)]", "[yes no]"},
		{"(macro ex [] (view (macroexpand `(when a b)))) (ex)", "(if a (do b))"},
		{"(macro v [x] (view x)) (v (let [a 1] {:b \"c d\" :e [2 nil]}))", `(let [a 1] {:b "c d" :e [2 nil]})`},
		{"(eval-compiler (+ 1 2))", "3"},
		{"(macro f [x ?y] `[,x ,(if ?y true false)]) [(f 1) (f 1 2)]", "[[1 false] [1 true]]"},
		{"(let [x 1] (macro m [] 2) (m))", "2"},
		{"(macro dots [...] `(select :# ,...)) (dots 1 2 3)", "3"},
		{"(macro fun [] `(fn [a# ...] [a# ...])) ((fun) 1 2)", "[1 2]"},
	})
}

func TestMacroErrors(t *testing.T) {
	for _, c := range []struct {
		src  string
		want []string
	}{
		{"(macro m [] `(let [x 1] x))\n(m)", []string{"2:1 macro tried to bind x without gensym"}},
		{"(macro m [] (error \"no way\"))\n\n(m)", []string{"3:1 no way"}},
		{"(macro m [x] (assert-compile false \"bad thing\" x))\n(m (a\n b))", []string{"2:4 bad thing"}},
		{"(macro m [] (os.exit 1))\n(m)", []string{"1:14 unknown identifier: os"}},
		{"(macro m [] `(nope))\n(m)", []string{"2:1 unknown identifier: nope"}},
		{"(macro m [] print)\n(m)", []string{"2:1 could not compile value of type function, which this macro returned"}},
		{"(macro if [] 1)", []string{"1:8 local if was overshadowed by a special form or macro"}},
		{"(local x 1)\n(macro m [] x)", []string{"2:13 unknown identifier: x"}},
		{"(import-macros {: a} :mod)", []string{"1:22 module not found: mod"}},
		{",x", []string{"1:1 tried to use unquote outside quote"}},
		{"(macro m [] `(do ,(m2)))\n(print 1)", []string{"1:20 unknown identifier: m2"}},
	} {
		t.Run(c.src, func(t *testing.T) {
			_, err := Compile([]byte(c.src), Options{File: "t.fnl", Globals: luaGlobals})
			wantErrors(t, err, c.want...)
		})
	}
}

// modules finds modules in a map from file names.
func modules(files map[string]string) func(string) (string, []byte, error) {
	return func(name string) (string, []byte, error) {
		for _, ending := range []string{".fnl", ".lua"} {
			file := strings.ReplaceAll(name, ".", "/") + ending
			if text, ok := files[file]; ok {
				return file, []byte(text), nil
			}
		}
		return "", nil, errors.New("no such file")
	}
}

func TestModules(t *testing.T) {
	o := Options{Globals: luaGlobals, Macros: modules(map[string]string{
		"m.fnl":      "(local h (require :helper))\n(fn inc [x] `(+ ,x ,(h.one)))\n{: inc :dec (fn [x] `(- ,x 1))}",
		"helper.fnl": "{:one (fn [] 1)}",
		"lm.lua":     "-- a macro module\nreturn {k = function(x) return list(sym('+'), x, 10) end}",
		"part.fnl":   "(local x 5)\n{:double #(* $ 2) :name ... : x}",
		"part2.lua":  "local t = {} -- [[ x\nt.s = [[a\nb]]\nreturn t",
		"a.fnl":      "(include :b)", "b.fnl": "(include :a)",
		"broken.fnl": "(fn f [x]\n  (+ x y))\n{: f}",
	})}
	for _, c := range []runCase{
		{"(import-macros m :m) (m.inc (m.dec 5))", "5"},
		{"(import-macros {: inc :dec minus} :m) [(inc 1) (minus 1)]", "[2 0]"},
		{"(require-macros :m) (inc 1)", "2"},
		{"(import-macros {: k} :lm) (k 1)", "11"},
		{"(import-macros {: inc} (.. :m \"\")) (inc 1)", "2"},
		{"(local p (include :part)) (local q (include :part)) [(p.double 4) p.name p.x (= p q)]", "[8 part 5 true]"},
		{"(. (include :part2) :s)", "a\nb"},
	} {
		if diff := cmp.Diff(c.want, run(t, c.src, o)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.src, diff)
		}
	}
	for src, want := range map[string]string{
		"(include :a)":                      "circular include of module a",
		"(import-macros {: nope} :m)":       "macro nope not found in module m",
		"(import-macros m :m) (m.nope)":     "macro not found in imported macro module: m.nope",
		"(import-macros {: f} :broken)":     "broken.fnl:2:8: unknown identifier: y",
		"(import-macros m :absent) (m.x 1)": "module not found: absent: no such file",
	} {
		_, err := Compile([]byte(src), o)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", src, err, want)
		}
	}
}

// TestMacrosAreBounded checks that no macro can run forever or use too much memory.
func TestMacrosAreBounded(t *testing.T) {
	limits := vm.Limits{Time: 300 * time.Millisecond, Memory: 32 << 20}
	for _, src := range []string{
		"(macro m [] (while true nil)) (m)",
		"(macro m [] `(m)) (m)",
		"(macro m [x] `(m [,x ,x])) (m 1)",
		"(macro m [] (var s :a) (while true (set s (.. s s)))) (m)",
		"(macro m [] (fn f [] (+ 1 (f))) (f)) (m)",
		"(macro m [] (macroexpand `(m))) (m)",
		"(macro m [] (let [t (list)] (tset t 1 t) t)) (m)",
		"(macro d [x] `[,x ,x]) " + strings.Repeat("(d ", 60) + "1" + strings.Repeat(")", 60),
		"(eval-compiler (string.rep :x 1e12))",
	} {
		begin := time.Now()
		_, err := Compile([]byte(src), Options{File: "t.fnl", Globals: luaGlobals, Limits: limits})
		if err == nil {
			t.Errorf("%s: no error", src)
		}
		if d := time.Since(begin); d > time.Minute {
			t.Errorf("%s: took %s", src, d)
		}
	}
}

func TestGensymsAreNew(t *testing.T) {
	src := "(local x_1_auto 7) (macro m [] `(let [x# 1] (+ x# x_1_auto))) (m)"
	if got := run(t, src, Options{Globals: luaGlobals}); got != "8" {
		t.Errorf("got %s", got)
	}
}

func TestManyLocals(t *testing.T) {
	var b strings.Builder
	for i := range 300 {
		fmt.Fprintf(&b, "(local x%d %d)\n(fn f%d [] (+ x%d 1))\n", i, i, i, i)
	}
	b.WriteString("(var v 1) (set v (+ v x299)) (local v2 1) (fn g [] v2) (local v2 2)\n[(f299) v (g) v2]")
	if got := run(t, b.String(), Options{Globals: luaGlobals}); got != "[300 300 1 2]" {
		t.Errorf("got %s", got)
	}
}

func TestLimits(t *testing.T) {
	params := strings.Repeat("p ", 190)
	deep := "(print " + strings.Repeat("((fn [] ", 100) + "1" + strings.Repeat("))", 100) + ")"
	for _, c := range []struct{ src, want string }{
		{"(fn f [" + params + "] 1)", "1:0 too many local variables in one function: more than 180"},
		{"\n" + deep, "2:0 nested too deeply for Lua: more than 190 levels"},
	} {
		_, err := Compile([]byte(c.src), Options{})
		wantErrors(t, err, c.want)
	}
}
