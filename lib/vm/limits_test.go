package vm

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
)

// small keeps the attacks short. Attacks on the other limits get more time, for slow
// machines and the race detector.
var small = Limits{Time: 100 * time.Millisecond, Memory: 16 << 20}

func TestLimits(t *testing.T) {
	for _, test := range []struct {
		name string
		kind LimitKind
		text string
	}{
		{"loop", Time, `while true do end`},
		{"loop in pcall", Time, `while true do pcall(function() while true do end end) end`},
		{"loop in xpcall's handler", Time, `xpcall(error, function() while true do end end)`},
		{"loop in a coroutine", Time, `while true do coroutine.resume(coroutine.create(function() while true do end end)) end`},
		{"loop in wrap", Time, `while true do pcall(coroutine.wrap(function() while true do end end)) end`},
		{"loop in __index", Time, `local t = setmetatable({}, {__index = function() while true do end end}) return t.x`},
		{"loop in __tostring", Time, `print(setmetatable({}, {__tostring = function() while true do end end}))`},
		{"loop in a comparator", Time, `table.sort({1, 2, 3}, function() while true do end end)`},
		{"loop in gsub", Time, `("a"):gsub("a", function() while true do end end)`},
		{"loop in an iterator", Time, `for _ in function() while true do end end do end`},
		{"tail calls", Time, `local function f() return f() end f()`},
		{"errors", Time, `while true do pcall(error, "x") end`},
		{"pattern", Time, `("a"):rep(5000):find(("a-"):rep(30) .. "b")`},
		{"pattern in pcall", Time, `while true do pcall(string.find, ("a"):rep(5000), ("a-"):rep(30) .. "b") end`},
		{"pattern of gsub", Time, `("a"):rep(5000):gsub(("a*"):rep(30) .. "b", "")`},
		{"pattern of gmatch", Time, `for _ in ("a"):rep(5000):gmatch(("a?"):rep(40) .. ("a*"):rep(20) .. "b") do end`},
		{"balanced pattern", Time, `("("):rep(4e6):match("%b()")`},
		{"sorting", Time, `local t = {} for i = 1, 3e5 do t[i] = i % 1000 end while true do table.sort(t) end`},

		{"pattern with a large set", Time, `string.find(("a"):rep(1e5), "[" .. ("b"):rep(1e6) .. "]*c")`},
		{"sorting long strings", Time, `local s, t = ("x"):rep(1e6), {} for i = 1, 5 do t[i] = s .. i end while true do table.sort(t) end`},
		{"inserting far before the list", Time, `table.insert({}, -1e15, 1)`},

		{"table", Memory, `local t = {} for i = 1, 1e9 do t[i] = {} end`},
		{"table in pcall", Memory, `local t = {} while true do pcall(function() while true do t[#t + 1] = {} end end) end`},
		{"string keys", Memory, `local t = {} for i = 1, 1e9 do t["k" .. i] = true end`},
		{"closures", Memory, `local f for i = 1, 1e9 do local g = f f = function() return g end end`},
		{"string.rep", Memory, `return ("x"):rep(1e9)`},
		{"string.rep beyond numbers", Memory, `return ("x"):rep(1e18)`},
		{"string.rep many times", Memory, `local t = {} for i = 1, 1e6 do t[i] = ("x"):rep(1e6) end`},
		{"doubling", Memory, `local s = "x" while true do s = s .. s end`},
		{"doubling in pcall", Memory, `local s = "x" while true do pcall(function() s = s .. s end) end`},
		{"wide concatenation", Memory, `local s = ("x"):rep(4e6) return ` + strings.Repeat("s ..", 150) + `s`},
		{"table.concat", Memory, `local t = {} for i = 1, 1000 do t[i] = ("x"):rep(1000) end local s = table.concat(t) for i = 1, 1000 do t[i] = s end return table.concat(t)`},
		{"gsub", Memory, `return (("x"):rep(1e5):gsub("x", ("y"):rep(1e5)))`},
		{"gsub's captures", Memory, `return (("x"):rep(1e5):gsub(".*", ("%0"):rep(1e4)))`},
		{"format", Memory, `local s = ("x"):rep(4e6) return ("%s%s%s%s%s%s%s%s"):format(s, s, s, s, s, s, s, s)`},
		{"sparse table", Memory, `local t = {} for i = 1, 1e6 do local u = {} u[4e6] = 1 t[i] = u end`},
		{"coroutines", Memory, `local t = {} for i = 1, 1e9 do t[i] = coroutine.create(print) end`},
		{"started coroutines", Memory, `local t = {} for i = 1, 1e9 do t[i] = coroutine.wrap(function() coroutine.yield() end) t[i]() end`},
		{"varargs", Depth, `local function f(...) return (f(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, ...)) end f()`},

		{"recursion", Depth, `local function f() return 1 + f() end f()`},
		{"recursion in pcall", Depth, `while true do pcall(function() local function f() return 1 + f() end f() end) end`},
		{"recursion through pcall", Depth, `local function f() pcall(f) end f()`},
		{"recursion through xpcall", Depth, `local function f() xpcall(f, f) end f()`},
		{"recursion in xpcall's handler", Depth, `local function f() return xpcall(error, f) end f()`},
		{"recursion through __index", Depth, `local t = {} setmetatable(t, {__index = function(_, k) return t[k + 1] end}) return t[1]`},
		{"recursion through __index, short", Depth, `local t = {} setmetatable(t, {__index = function(_, k) return t[k] end}) return t.x`},
		{"recursion through __add", Depth, `local t = {} setmetatable(t, {__add = function(a, b) return 1 + (a + b) end}) return t + t`},
		{"recursion through __call", Depth, `local t = {} setmetatable(t, {__call = function() return 1 + t() end}) return t()`},
		{"recursion through __tostring", Depth, `local t = {} setmetatable(t, {__tostring = function(t) return "" .. tostring(t) end}) return tostring(t)`},
		{"recursion through gsub", Depth, `local function f() return (("a"):gsub("a", f)) end f()`},
		{"recursion through sort", Depth, `local function f() table.sort({1, 2}, f) end f()`},
		{"recursion through coroutines", Depth, `local function f() coroutine.wrap(f)() end f()`},
		{"recursion through resume", Depth, `local function f() coroutine.resume(coroutine.create(f)) end f()`},
		{"recursion in a coroutine", Depth, `coroutine.wrap(function() local function f() return 1 + f() end f() end)()`},
		{"recursion in coroutines in recursion", Depth,
			`local function f(n) if n > 0 then return 1 + f(n - 1) end return coroutine.wrap(f)(1000) end f(1000)`},
		{"recursion through __index in coroutines", Depth, `
			local function down(n, last)
				local t = setmetatable({}, {__index = function(t, k) if k == 0 then return last() end return t[k - 1] end})
				return t[n]
			end
			local function f() return coroutine.wrap(function() return down(7000, f) end)() end f()`},
	} {
		t.Run(test.name, func(t *testing.T) {
			limits := small
			if test.kind != Time {
				limits.Time = 20 * time.Second
			}
			if test.kind != Memory {
				limits.Memory = DefaultLimits.Memory
			}
			began := time.Now()
			_, err := run(t, limits, test.text)
			if took := time.Since(began); test.kind == Time && took > 30*time.Second {
				t.Errorf("took %s", took)
			}
			var limit *LimitError
			if !errors.As(err, &limit) {
				t.Fatalf("want a LimitError, got %.200v", err)
			}
			if limit.Kind != test.kind {
				t.Errorf("want %v, got %v", LimitError{Kind: test.kind}, limit)
			}
			var e *Error
			if !errors.As(err, &e) || e.File != "test.lua" || e.Line == 0 {
				t.Errorf("no position: %v", err)
			}
		})
	}
}

// TestCallWithinBound checks that a Call in a Bound counts toward the Bound's stretch.
func TestCallWithinBound(t *testing.T) {
	v := New(small)
	defer v.Close()
	fn, err := v.Load("while true do end", "t.lua")
	if err != nil {
		t.Fatal(err)
	}
	bound := v.Bound(t.Context())
	defer bound.End()
	c := threadClock() // the Bound has locked the goroutine to its thread
	for c.elapsed() < small.Time*8/10 {
	}
	var limit *LimitError
	if _, err := v.Call(t.Context(), fn); !errors.As(err, &limit) || limit.Kind != Time {
		t.Errorf("got %v, want a limit of time", err)
	}
	if took := c.elapsed(); took > small.Time*3/2 {
		t.Errorf("took %s", took)
	}
	if bound.Step() == nil {
		t.Error("the Bound continues after the limit")
	}
}

// TestLoadIsBounded loads texts that cost gopher-lua's compiler much time or memory.
func TestLoadIsBounded(t *testing.T) {
	for _, test := range []struct {
		name, text string
		kind       LimitKind
	}{
		{"many functions", strings.Repeat("x=function()end ", 60_000), Memory},
		{"nested brackets", "return " + strings.Repeat("(", 1_000_000), Memory},
		{"nested blocks", strings.Repeat("do ", 330_000), Memory},
		{"variables in nested functions", strings.Repeat("return function() local a, b, c, d, e ", 100) + strings.Repeat("x=y ", 30_000) + strings.Repeat(" end", 100), Time},
		{"constants", "local x = {} " + strings.Repeat("x.a = b x.c = d ", 30_000), Memory},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := New(small)
			defer v.Close()
			runtime.GC() // The limit is on growth since the last collection.
			c := clock{id: processClock.id, start: processClock.read()}
			_, err := v.Load(test.text, "t.lua")
			var limit *LimitError
			if !errors.As(err, &limit) || limit.Kind != test.kind && c.elapsed() < small.Time {
				t.Errorf("got %.100v, want a limit of kind %d", err, test.kind)
			}
			if _, err := v.Load("return 1", "t.lua"); err != nil {
				t.Errorf("the next text: %v", err)
			}
		})
	}
}
