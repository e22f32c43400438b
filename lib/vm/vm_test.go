package vm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	lua "github.com/yuin/gopher-lua"
)

// Run loads text as a chunk called name and calls it, as Call does.
func (v *VM) Run(ctx context.Context, text, name string) ([]lua.LValue, error) {
	fn, err := v.Load(text, name)
	if err != nil {
		return nil, err
	}
	return v.Call(ctx, fn)
}

// run runs text and returns its results as strings, or the error.
func run(t *testing.T, l Limits, text string) (string, error) {
	t.Helper()
	v := New(l)
	defer v.Close()
	values, err := v.Run(context.Background(), text, "test.lua")
	var words []string
	for _, value := range values {
		words = append(words, value.String())
	}
	return strings.Join(words, " "), err
}

func TestLibraries(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{`return 1, "a", nil`, "1 a nil"},
		{`return select('#', unpack({1, nil, 3}, 1, 3)), select(-1, 1, 2)`, "3 2"},
		{`return pcall(error, "x")`, "false x"},
		{`return pcall(function() error("x") end)`, "false test.lua:1: x"},
		{"local function f() error('x', 2) end\nreturn pcall(function()\n f()\n end)", "false test.lua:3: x"},
		{`return pcall(function() error({1}) end) == false`, "true"},
		{`return select(2, pcall(error))`, "nil"},
		{`return xpcall(function() error("x", 0) end, function(e) return e .. "!" end)`, "false x!"},
		{`return xpcall(function() return 1, 2 end, nil)`, "true 1 2"},
		{`return xpcall(function() error("x", 0) end)`, "false x"},
		{`return pcall(nil)`, "false attempt to call a nil value"},
		{`return pcall(assert, false, "m")`, "false m"},
		{`return tonumber("1e3"), tonumber("0x1F"), tonumber("-7"), tonumber(" 8 "), tonumber("ff", 16), tonumber("z"), tonumber("inf"), tonumber("1_0"), tonumber(""), tonumber("--1")`,
			"1000 31 -7 8 255 nil nil nil nil nil"},
		{`local t = {} for w in ("a b c"):gmatch("%a") do t[#t+1] = w end return table.concat(t, ",")`, "a,b,c"},
		{`local t = {3,1,2} table.sort(t) return table.concat(t, " ")`, "1 2 3"},
		{`local t = table.pack(1, nil, 3) local a, b, c = table.unpack(t, 1, t.n) return t.n, a, b, c`, "3 1 nil 3"},
		{`local t = {3,1,2} table.sort(t, function(a, b) return a > b end) return table.concat(t, " ")`, "3 2 1"},
		{`local t = {1,3} table.insert(t, 2, 2) table.insert(t, 4) return table.concat(t, " "), table.remove(t), #t`, "1 2 3 4 4 3"},
		{`return ("abc"):byte(), ("abc"):byte(-1), ("abc"):byte(1, 2)`, "97 99 97 98"},
		{`return ("aé"):upper(), ("ÀB"):lower()`, "Aé Àb"},
		{`return ("x"):rep(3), ("x"):rep(-1), (""):rep(1e18)`, "xxx  "},
		{`return 1 .. "a" .. 2, (("x"):rep(2) .. select(2, "a", "b", "c")), #_G == 0`, "1a2 xxb true"},
		{`return ` + strings.Repeat(`"a" .. `, 300) + `"b" == ("a"):rep(300) .. "b"`, "true"},
		{`local m = setmetatable({}, {__concat = function(a, b) return (type(a) == "table" and "T" or a) .. (type(b) == "table" and "T" or b) end})
		  return m .. "a", "a" .. m, "a" .. "b" .. m .. "c" .. "d"`, "Ta aT abTcd"},
		{`local f = function(...) return "a" .. ... end return f("b", "c")`, "ab"},
		{`local a, b, c = 1, 2, 3 a, b = b, a a, b, c = c, a, b return a, b, c`, "3 2 1"},
		{`local a, b = 0, 1 for _ = 1, 10 do a, b = b, a + b end return a, b`, "55 89"},
		{`local i, t = 1, {} i, t[i] = 2, "x" return i, t[1], t[2]`, "2 x nil"},
		{`local t = {1, 2} t[1], t[2] = t[2], t[1] local a a, a = 1, 2 return t[1], t[2], a`, "2 1 1"},
		{`local a, b, c local function f() return 1, 2, 3 end a, b, c = f() local x, y, z = a, b, c x, y = f(), 9 return a, b, c, x, y, z`, "1 2 3 1 9 3"},
		{`local a, b = 1 a, b = 2 return a, b`, "2 nil"},
		{`local n = 0 for k in next, {1, 2} do n = n + k end for k, v in next, {5}, nil do n = n + v end return n`, "8"},
		{`local i, n = 0, 0 for x in function() i = i + 1 if i < 4 then return i end end do n = n + x end return n`, "6"},
		{`return #{` + strings.Repeat("1,", 25_000) + `}`, "25000"},
		{`return math.huge > 1e308, math.floor(1.5)`, "true 1"},
		{`return type(os.time()), os.exit, os.getenv, io, debug, load, loadstring, dofile, getfenv, collectgarbage, package.path`,
			"number nil nil nil nil nil nil nil nil nil nil"},
		{`return os.date("!%Y-%m-%d", 86400), os.date("!*t", 0).year`, "1970-01-02 1970"},
		{`return pcall(setmetatable, "", {})`, "false bad argument #1 to '?' (table expected, got string)"},
		{`return require("string") == string, pcall(require, "x")`, "true false module 'x' not found"},
	} {
		got, err := run(t, Limits{}, test.text)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
		} else if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", test.text, diff)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"\nerror('x')", "test.lua:2: x"},
		{"local t\n\nt.x = 1", "test.lua:3: attempt to index local 't' (a nil value)"},
		{"local s\nreturn 'a' ..\ns", "test.lua:2: attempt to concatenate local 's' (a nil value)"},
		{"return " + strings.Repeat("{", 1001) + strings.Repeat("}", 1001), "test.lua:1: text is nested more than 1000 levels deep"},
		{strings.Repeat("do ::x:: end ", 1001), "test.lua:1: text has more than 1000 labels"},
		{"return {" + strings.Repeat("1,", 25_001) + "}", "test.lua:1: table constructor has more than 25000 items"},
		{"return " + strings.Repeat("- ", 500_000) + "1", "test.lua:1: text is nested more than 1000 levels deep"},
		{"local t = {}\nt.field(1)", "test.lua:2: attempt to call field 'field' (a nil value)"},
		{"local t = {}\nt:method('a' .. 'b')", "test.lua:2: attempt to call method 'method' (a nil value)"},
		{"local t = {}\nt.a(print(1))", "test.lua:2: attempt to call field 'a' (a nil value)"},
		{"local t = {}\nt[1]()", "test.lua:2: attempt to call field '?' (a nil value)"},
		{"error({message = 'm'})", "test.lua:1: m"},
		{"error({})", "test.lua:1: error value is a table, not a string"},
		{"\nerror('')", "test.lua:2: error has an empty message"},
		{"error(' \\n', 0)", "test.lua:1: error has an empty message"},
		{"local function f()\n error('x', 2)\nend\nf()", "test.lua:4: x"},
		{"x = = 1", "test.lua:1: syntax error near '='"},
		{"x = (\n\n", "test.lua:1: syntax error near '('"},
		{"goto nowhere", "test.lua:1: no visible label 'nowhere' for <goto> at line 1"},
		{"local x " + strings.Repeat("x = x and x ", 32_001), "test.lua:1: function has more than 32000 conditions and loops"},
		{upvalues(256), "test.lua:2: function has more than 255 upvalues"},
		{"while true do " + strings.Repeat("x() ", 70_000) + " end", "test.lua:1: function with conditions or loops has more than 131071 instructions"},
		{"for _ = 1, 2 do " + strings.Repeat("x() ", 70_000) + " end", "test.lua:1: function with conditions or loops has more than 131071 instructions"},
	} {
		_, err := run(t, Limits{}, test.text)
		if err == nil {
			t.Errorf("%.100s: no error", test.text)
		} else if diff := cmp.Diff(test.want, err.Error()); diff != "" {
			t.Errorf("%.100s: %s", test.text, diff)
		}
	}
}

// upvalues returns a text whose last function uses n variables of the functions around it.
func upvalues(n int) string {
	var declare, use strings.Builder
	for i := range n {
		if i%128 == 0 {
			declare.WriteString("return function() ")
		}
		fmt.Fprintf(&declare, "local v%d = %d ", i, i)
		fmt.Fprintf(&use, "print(v%d) ", i)
	}
	return declare.String() + "\nreturn function() " + use.String() + "end" + strings.Repeat(" end", (n+127)/128)
}

// TestRaise checks that the error of a Go function is returned unchanged.
func TestRaise(t *testing.T) {
	v := New(Limits{})
	defer v.Close()
	cause := errors.New("cause")
	v.State().SetGlobal("fail", v.State().NewFunction(func(l *lua.LState) int {
		Raise(l, cause)
		return 0
	}))
	if _, err := v.Run(context.Background(), "\nfail()", "test.lua"); !errors.Is(err, cause) || err.Error() != "test.lua:2: cause" {
		t.Error(err)
	}
	values, err := v.Run(context.Background(), "return pcall(fail)", "test.lua")
	if err != nil || values[1].String() != "cause" {
		t.Error(values, err)
	}
	if _, err := v.Run(context.Background(), "pcall(fail) error('other')", "test.lua"); errors.Is(err, cause) {
		t.Error("an error that was caught is the cause of another")
	}
}

// TestCallsLeaveNothingBehind checks that a reused thread shows nothing of its last use, and
// that a thread that failed is not reused.
func TestCallsLeaveNothingBehind(t *testing.T) {
	v := New(Limits{Time: 100 * time.Millisecond})
	defer v.Close()
	fn, err := v.Load("local n = ...; if n == 2 then while true do end end return n, select('#', ...), coroutine.running()", "again")
	if err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		args := make([]lua.LValue, n+1)
		for i := range args {
			args[i] = lua.LNumber(n)
		}
		got, err := v.Call(context.Background(), fn, args...)
		if n == 2 {
			if limit := (*LimitError)(nil); !errors.As(err, &limit) {
				t.Errorf("a loop gave %v", err)
			}
			continue
		}
		want := []lua.LValue{lua.LNumber(n), lua.LNumber(n + 1), lua.LNil}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("call %d gave %v, %v; want %v", n, got, err, want)
		}
	}
}
