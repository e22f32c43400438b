package vm

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// operatorErrors are texts with the output of PUC Lua 5.1.5. A text is the body of a
// function that pcall calls, unless it prints something itself.
var operatorErrors = []struct{ text, want string }{
	{`local x return -x`, "attempt to perform arithmetic on local 'x' (a nil value)"},
	{`local x return #x`, "attempt to get length of local 'x' (a nil value)"},
	{`return #nope`, "attempt to get length of global 'nope' (a nil value)"},
	{`return 1 > nil`, "attempt to compare nil with number"},
	{`return {} <= 1`, "attempt to compare table with number"},
	{`return {} <= {}`, "attempt to compare two table values"},
	{`return t.a + 1`, "attempt to perform arithmetic on field 'a' (a nil value)"},
	{`return 1 + t.a`, "attempt to perform arithmetic on field 'a' (a nil value)"},
	{`return "x" + 1`, "attempt to perform arithmetic on a string value"},
	{`local s = "x" return 1 + s`, "attempt to perform arithmetic on local 's' (a string value)"},
	{`return "a" .. t.b`, "attempt to concatenate field 'b' (a nil value)"},
	{`local x return x .. "a" .. "b"`, "attempt to concatenate local 'x' (a nil value)"},
	{`return "a" .. (nil) .. g`, "attempt to concatenate a nil value"},
	{`for i = 1, nil do end`, "'for' limit must be a number"},
	{`for i = 1, {} do end`, "'for' limit must be a number"},
	{`for i = {}, 1 do end`, "'for' initial value must be a number"},
	{`for i = 1, 2, "x" do end`, "'for' step must be a number"},
	{`for i = 1, t.x do end`, "'for' limit must be a number"},
	{`for i = 1, t.x+1 do end`, "attempt to perform arithmetic on field 'x' (a nil value)"},
	{`local x return x % 2`, "attempt to perform arithmetic on local 'x' (a nil value)"},
	{`local x return 2 % x`, "attempt to perform arithmetic on local 'x' (a nil value)"},
	{`t.x.y = 1`, "attempt to index field 'x' (a nil value)"},
	{`return t.x.y`, "attempt to index field 'x' (a nil value)"},
	{`t:x()`, "attempt to call method 'x' (a nil value)"},
	{`t.x()`, "attempt to call field 'x' (a nil value)"},
	{`(nil)()`, "attempt to call a nil value"},
	{`(1)()`, "attempt to call a number value"},
	{`("x")()`, "attempt to call a string value"},
	{`return (t.x)()`, "attempt to call field 'x' (a nil value)"},
	{`return tostring(1)()`, "attempt to call a string value"},
	{`return tostring(1).x.y`, "attempt to index field 'x' (a nil value)"},
	{`local a = {} a[nil] = 1`, "table index is nil"},
	{`local a = {} a[0/0] = 1`, "table index is NaN"},
	{`for a in 5 do end`, "attempt to call a number value"},
	{`for a in nil do end`, "attempt to call a nil value"},
	{`for a in t do end`, "attempt to call a table value"},
	{`return t.x^2, 1`, "attempt to perform arithmetic on field 'x' (a nil value)"},
	{`print(pcall((function() local u; return function() return u * 2 end end)()))`, "false\tt.lua:1: attempt to perform arithmetic on upvalue 'u' (a nil value)"},
	{`print(coroutine.resume(coroutine.create(function() local x; return x.y end)))`, "false\tt.lua:1: attempt to index local 'x' (a nil value)"},
	{`print(coroutine.resume(coroutine.create(function() local x; return x + 1 end)))`, "false\tt.lua:1: attempt to perform arithmetic on local 'x' (a nil value)"},
	{`print(pcall(coroutine.wrap(function() local x; x() end)))`, "false\tt.lua:1: attempt to call local 'x' (a nil value)"},
	{`print(pcall(table.sort, {1,2,"x"}))`, "false\tattempt to compare string with number"},
	{`print(pcall(table.sort, {3,2,1}, function(a,b) return a.x < 1 end))`, "false\tt.lua:1: attempt to index local 'a' (a number value)"},
	{`print(pcall(string.gsub, "x", "x", function(a,b) return nope.x end))`, "false\tt.lua:1: attempt to index global 'nope' (a nil value)"},
	{`print(pcall(string.gsub, "x", "x", function(a,b) return nope() end))`, "false\tt.lua:1: attempt to call global 'nope' (a nil value)"},
	{`print(pcall(nil))`, "false\tattempt to call a nil value"},
	{`print(pcall(5))`, "false\tattempt to call a number value"},
	{`print(xpcall(function() local x; return x.y end, function(e) return "H " .. e end))`, "false\tH t.lua:1: attempt to index local 'x' (a nil value)"},
	{`print(select(2, pcall(error, "attempt to call a non-function object")))`, "attempt to call a non-function object"},
	{`print(select(2, pcall(function() error("attempt to call a non-function object") end)))`, "t.lua:1: attempt to call a non-function object"},
	{`print(select(2, pcall(function() error("t.lua:1: attempt to compare number with nil",0) end)))`, "t.lua:1: attempt to compare number with nil"},
	{`local x = setmetatable({}, {__index = function(t,k) return k.a.b end}) return x.foo`, "attempt to index field 'a' (a nil value)"},
	{`local x = setmetatable({}, {__index = 5}) return x.foo`, "attempt to index a number value"},
	{`local x = setmetatable({}, {__call = 5}) return x()`, "attempt to call local 'x' (a table value)"},
	{`return math.huge.x.y`, "attempt to index field 'huge' (a number value)"},
	{`local a = "x" a.b.c = 1`, "attempt to index field 'b' (a nil value)"},
	{`local a = "x" a.b = 1`, "attempt to index local 'a' (a string value)"},
	{`local a = true a.b = 1`, "attempt to index local 'a' (a boolean value)"},
	{`local a = 5 return a.b`, "attempt to index local 'a' (a number value)"},
	{`return t[1] + 1`, "attempt to perform arithmetic on field '?' (a nil value)"},
	{`return t[1][2]`, "attempt to index field '?' (a nil value)"},
	{`t[1].x()`, "attempt to index field '?' (a nil value)"},
	{`local k="q" return t[k].z`, "attempt to index field '?' (a nil value)"},
	{`print(pcall(function(...) return (...) + 1 end))`, "false\tt.lua:1: attempt to perform arithmetic on a nil value"},
	{`print(pcall(function(...) local a, b = ... return a < b end, 1, {}))`, "false\tt.lua:1: attempt to compare number with table"},
	{`print(pcall(function(...) local a, b = ... return a + b end, 1, {}))`, "false\tt.lua:1: attempt to perform arithmetic on local 'b' (a table value)"},
	{`print(pcall(function(...) local a, b = ... return a - b end, {}, 2))`, "false\tt.lua:1: attempt to perform arithmetic on local 'a' (a table value)"},
	{`print(pcall(function(...) local a, b = ... return a .. b end, 1, {}))`, "false\tt.lua:1: attempt to concatenate local 'b' (a table value)"},
	{`print(pcall(function(...) local a, b = ... return a .. b end, {}, 2))`, "false\tt.lua:1: attempt to concatenate local 'a' (a table value)"},
	{`return t.a.b.c.d`, "attempt to index field 'a' (a nil value)"},
	{`return -t.a`, "attempt to perform arithmetic on field 'a' (a nil value)"},
	{`return -{}`, "attempt to perform arithmetic on a table value"},
	{`return -"x"`, "attempt to perform arithmetic on a string value"},
	{`return #5`, "attempt to get length of a number value"},
	{`return a.b`, "attempt to index global 'a' (a nil value)"},
	{`local s = {} ; s = s .. "x"`, "attempt to concatenate local 's' (a table value)"},
	{`local s = {} ; s.n = s.n + 1`, "attempt to perform arithmetic on field 'n' (a nil value)"},
	{`local s = {} ; s.n = s.n .. "x"`, "attempt to concatenate field 'n' (a nil value)"},
	{`if t.a > 3 then end`, "attempt to compare number with nil"},
	{`if 3 > t.a then end`, "attempt to compare nil with number"},
	{`if 3 >= t.a then end`, "attempt to compare nil with number"},
	{`if t.a >= 3 then end`, "attempt to compare number with nil"},
	{`if t.a <= 3 then end`, "attempt to compare nil with number"},
	{`local x = {} x.a, x.b = x.c.d, 1`, "attempt to index field 'c' (a nil value)"},
	{`local x x.a, t.b = 1, 2`, "attempt to index local 'x' (a nil value)"},
	{`t.c.d, t.e = 1, 2`, "attempt to index field 'c' (a nil value)"},
	{`local y = t.f and t.g.h or t.i.j print(y)`, "attempt to index field 'i' (a nil value)"},
	{`(t.f or t.g).h = 1`, "attempt to index a nil value"},
	{`local x = (t.f or nil) x.y()`, "attempt to index local 'x' (a nil value)"},
	{`t.go(t.a and 1, t.b or 2)`, "attempt to call field 'go' (a nil value)"},
	{`local a = t print(a.b == nil and a.b.c)`, "attempt to index field 'b' (a nil value)"},
}

func operatorError(text, want string) (chunk, printed string) {
	if strings.HasPrefix(text, "print(") {
		return "local t = {} " + text, want + "\n"
	}
	return "local t = {} print(pcall(function(...) " + text + " end))", "false\tt.lua:1: " + want + "\n"
}

// TestOperatorErrors checks that errors, even those that pcall returns, name the variable at
// fault in the words of PUC Lua.
func TestOperatorErrors(t *testing.T) {
	for _, test := range operatorErrors {
		chunk, want := operatorError(test.text, test.want)
		if diff := cmp.Diff(want, printed(t, chunk)); diff != "" {
			t.Errorf("%s: %s", test.text, diff)
		}
	}
}

// TestPUCOperatorErrors compares the expectations with lua5.1.
func TestPUCOperatorErrors(t *testing.T) {
	for _, test := range operatorErrors {
		chunk, want := operatorError(test.text, test.want)
		if diff := cmp.Diff(pucPrints(t, chunk), want); diff != "" {
			t.Errorf("%s: %s", test.text, diff)
		}
	}
}

// TestUncaughtNames checks that an uncaught error names the variable, too.
func TestUncaughtNames(t *testing.T) {
	for text, want := range map[string]string{
		"table.pak(1)":    "attempt to call field 'pak' (a nil value)",
		"local t t.x = 1": "attempt to index local 't' (a nil value)",
		"coroutine.wrap(function() nothing() end)()": "attempt to call global 'nothing' (a nil value)",
	} {
		_, err := run(t, Limits{}, text)
		var e *Error
		if !errors.As(err, &e) || e.Message != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
