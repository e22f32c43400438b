package fennel

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	lua "github.com/yuin/gopher-lua"

	"quire/lib/vm"
)

// luaGlobals are the names a test program may use.
var luaGlobals = []string{
	"_G", "assert", "error", "getmetatable", "ipairs", "math", "next", "pairs", "pcall", "print",
	"rawget", "select", "setmetatable", "string", "table", "tonumber", "tostring", "type", "unpack",
	"xpcall", "coroutine", "require", "package", "show",
}

// run compiles and runs a program, and returns the values that it returned as text with
// spaces between them.
func run(t *testing.T, src string, o Options) string {
	t.Helper()
	if o.File == "" {
		o.File = "t.fnl"
	}
	program, err := Compile([]byte(src), o)
	if err != nil {
		t.Fatalf("compile %s:\n%v", src, err)
	}
	v := vm.New(vm.Limits{})
	defer v.Close()
	f, err := program.Load(v)
	if err != nil {
		t.Fatalf("load %s: %v\n%s", src, err, program.Lua)
	}
	values, err := v.Call(t.Context(), f)
	if err != nil {
		return "error: " + err.Error()
	}
	var out []string
	for _, value := range values {
		out = append(out, showLua(value))
	}
	return strings.Join(out, " ")
}

// showLua writes a Lua value. For a table it writes the sequence first, then the other keys
// sorted by their text.
func showLua(v lua.LValue) string {
	t, ok := v.(*lua.LTable)
	if !ok {
		return v.String()
	}
	var items, named []string
	for i := 1; i <= t.Len(); i++ {
		items = append(items, showLua(t.RawGetInt(i)))
	}
	t.ForEach(func(k, v lua.LValue) {
		if n, ok := k.(lua.LNumber); ok && n >= 1 && int(n) <= t.Len() {
			return
		}
		named = append(named, fmt.Sprintf("%s=%s", k, showLua(v)))
	})
	slices.Sort(named)
	return "[" + strings.Join(append(items, named...), " ") + "]"
}

type runCase struct{ src, want string }

func check(t *testing.T, cases []runCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.src, func(t *testing.T) {
			if diff := cmp.Diff(c.want, run(t, c.src, Options{Globals: luaGlobals})); diff != "" {
				program, _ := Compile([]byte(c.src), Options{File: "t.fnl"})
				t.Errorf("(-want +got)\n%s\n%s", diff, program.Lua)
			}
		})
	}
}

func TestBasics(t *testing.T) {
	check(t, []runCase{
		{``, ``},
		{`42`, `42`},
		{`nil`, `nil`},
		{`(values 1 2 3)`, `1 2 3`},
		{`[1 2 [3]]`, `[1 2 [3]]`},
		{`{:a 1 :b-c "x"}`, `[a=1 b-c=x]`},
		{`(let [x 1 y (+ x 1)] [x y])`, `[1 2]`},
		{`(fn add [a b] (+ a b)) (add 1 2)`, `3`},
		{`((fn [[a b] {: c :d [e]}] [a b c e]) [1 2] {:c 3 :d [4]})`, `[1 2 3 4]`},
		{`(local t {:x {:y 5}}) t.x.y`, `5`},
		{`(local t {:add (fn [self n] (+ self.v n)) :v 5}) (t:add 3)`, `8`},
		{`(var x 1) (set x (+ x 1)) x`, `2`},
		{`(local (a b) (values 1 2)) [b a]`, `[2 1]`},
		{`(if false 1 nil 2 :else)`, `else`},
		{`[(if true 1) (if false 1) 3]`, `[1 nil 3]`},
		{`(select :# (if false 1))`, `1`},
		{`(do 1 2 3)`, `3`},
		{`(.. "a" :b 1)`, `ab1`},
		{`(^ 2 3 2)`, `512`},
		{`(#(+ $1 $3) 1 2 3)`, `4`},
		{`(#[$...] 1 2 3)`, `[1 2 3]`},
		{`(var s 0) (for [i 1 10 2] (set s (+ s i))) s`, `25`},
		{`(var s "") (each [k v (ipairs [:a :b])] (set s (.. s k v))) s`, `1a2b`},
		{`(var n 0) (while (< n 5) (set n (+ n 1))) n`, `5`},
		{`(let [(ok e) (pcall (lambda [x] x))] (string.match e "Missing.*"))`, `Missing argument x on t.fnl:1`},
		{`(-> 1 (+ 2) (* 3))`, `9`},
	})
}

func TestMatching(t *testing.T) {
	check(t, []runCase{
		{`(case [1 2] [a b] (+ a b))`, `3`},
		{`(case (values nil :oops) (nil e) e ok ok)`, `oops`},
		{`(let [x 1] (match [1 2] [x y] y))`, `2`},
		{`(case {:a {:b [1 2]}} {:a {:b [x & rest]}} [x rest])`, `[1 [2]]`},
		{`(case 5 (where n (> n 3)) :big _ :small)`, `big`},
		{`(case [:x 1] (where (or [:y a] [:x a]) (= a 1)) a)`, `1`},
		{`(case-try 1 1 (values 2 3) (2 x) (+ x 1))`, `4`},
		{`(case-try nil 1 2 (catch nil :none))`, `none`},
		{`(icollect [_ x (ipairs [1 2 3])] (if (> x 1) x))`, `[2 3]`},
		{`(collect [k v (pairs {:a 1})] v k)`, `[a]`},
		{`(accumulate [s 0 _ x (ipairs [1 2 3])] (+ s x))`, `6`},
		{`(accumulate [(a b) (values 0 1) _ x (ipairs [1 2 3])] (values b (+ a b)))`, `2 3`},
		{`(?. {:a {:b 1}} :a :b)`, `1`},
		{`(?. {} :a :b)`, `nil`},
		{`(var (a b) (values 1 2)) (set (a b) (values b a)) [a b]`, `[2 1]`},
		{`(let [f (partial + 1 2)] (f 3))`, `6`},
	})
}
