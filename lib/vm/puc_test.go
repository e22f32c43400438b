package vm

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pucCases are chunks with the output of PUC Lua 5.1.5.
var pucCases = []struct{ name, text, want string }{
	// An assignment to the last parameter.
	{"concat to a parameter", `local function f(s) s = "x" .. s return s end print(f("a"))`, "xa"},
	{"concat to the last parameter", `local function f(a, s) s = s .. a local t = s return a, s, t end print(f("a", "b"))`, "a\tba\tba"},
	{"the next local is kept", `local function f(s) local n = 5 s = "x" .. s .. n return s, n end print(f("a"))`, "xa5\t5"},
	{"call in parentheses", `local function g(...) return ... end local function f(s) s = (g(s, 1)) local u = s return s, u end print(f(3))`, "3\t3"},
	{"concat in a loop", `local function f(s) for i = 1, 3 do s = s .. i end return s end print(f(""))`, "123"},
	{"concat to a global and a field", `t = {} s = "a" s = s .. "b" t.x = s .. "c" t[s] = s .. s print(s, t.x, t.ab)`, "ab\tabc\tabab"},
	{"a function and its name", `local f = 1 local f = function() return f end print(f()) local function g() return g end print(g() == g)
		local print = function(x) return print(x) end print(2)`, "1\ntrue\n2"},
	{"more values than targets", `local function g() return 1, 2 end local function f(s) s = (g()), g() return s end print(f(0))`, "1"},
	{"varargs to a parameter", `local function f(s, ...) s = (...) return s end print(f(1, 2, 3))`, "2"},

	// Closures keep their variables when an error is caught.
	{"pcall", `local n = 0 local function try() n = n + 1 error("x") end pcall(try) pcall(try) print(n)`, "2"},
	{"xpcall", `local n = 0 local function try() n = n + 1 error("x") end xpcall(try, function() n = n + 10 end) print(n)`, "11"},
	{"nested pcall", `local n = 0 local function f() n = n + 1 pcall(function() n = n + 1 error("a") end) n = n + 1 error("b") end pcall(f) pcall(f) print(n)`, "6"},
	{"resume", `local n = 0 local co = coroutine.create(function() n = n + 1 coroutine.yield() n = n + 1 error("x") end)
		print(coroutine.resume(co)) print((coroutine.resume(co))) print(n)`, "true\nfalse\n2"},
	{"wrap", `local n = 0 local f = coroutine.wrap(function() n = n + 1 error("x", 0) end) print(pcall(f)) n = n + 1 print(n)`, "false\tx\n2"},
	{"pcall in a coroutine", `local n = 0 local co = coroutine.wrap(function() for i = 1, 3 do pcall(function() n = n + 1 error("x") end) coroutine.yield(n) end end)
		print(co(), co(), co(), n)`, "1\t2\t3\t3"},
	{"a closure that escapes", `local f pcall(function() local k = 7 f = function() k = k + 1 return k end error("x") end) print(f(), f())`, "8\t9"},
	{"an error of an operator", `local n = 0 local function try() n = n + 1 return nil + 1 end pcall(try) pcall(try) print(n)`, "2"},
	{"an error of the library", `local n = 0 local function try() n = n + 1 return ("x"):rep({}) end pcall(try) pcall(try) print(n)`, "2"},
	{"retry", `local n = 0 local function try() n = n + 1 if n < 3 then error("again") end return n end
		local ok, v repeat ok, v = pcall(try) until ok print(ok, v, n)`, "true\t3\t3"},
	{"error levels through pcall", "local function f() error('x', 2) end\nprint(pcall(f))\nprint(pcall(function()\n f() end))", "false\tx\nfalse\tt.lua:4: x"},
	{"running in pcall", `print(coroutine.wrap(function() local a, b = coroutine.running(), select(2, pcall(coroutine.running)) return a == b, coroutine.status(b) end)())`, "true\trunning"},
	{"yield in pcall", `print(coroutine.wrap(function() return pcall(coroutine.yield, 1) end)())`, "false\tattempt to yield across metamethod/C-call boundary"},
	{"no values and nil", `local function f(...) print(select("#", ...)) end
		f(coroutine.resume(coroutine.create(function() end))) f(coroutine.resume(coroutine.create(function() return nil end)))
		f(coroutine.resume(coroutine.create(function() coroutine.yield() end)))`, "1\n2\n1"},
	{"calling a value that is no function", `print(pcall(nil)) print(pcall({})) print(pcall(setmetatable({}, {__call = function(_, x) return x end}), 5))`,
		"false\tattempt to call a nil value\nfalse\tattempt to call a table value\ntrue\t5"},

	// The values of a keyed last field are not items.
	{"keyed call", `print(#{"make", jobs = tostring(4)}, #{"make", [2] = nil, x = (tostring(1))})`, "1\t1"},
	{"keyed varargs", `local function f(...) local t = {..., x = ...} return #t, t.x, t[2] end print(f(1, 2, 3))`, "1\t1\tnil"},
	{"keyed method", `local t = {1, 2, n = ("a"):rep(2)} print(#t, t.n, t[3])`, "2\taa\tnil"},
	{"only a keyed call", `print(#{x = tostring(1)}, next({x = tostring(1)}))`, "0\tx\t1"},
	{"unkeyed call is all values", `local function f() return 1, 2, 3 end print(#{f(), f()}, #{x = 1, f()})`, "4\t3"},
	{"keyed after fifty items", `local t = {` + strings.Repeat("7,", 50) + `x = tostring(5)} print(#t, t[1], t[50], t.x)`, "50\t7\t7\t5"},
	{"keyed between items", `local t = {` + strings.Repeat("7,", 50) + `x = tostring(5), 8, 9, y = tostring(6)} print(#t, t[1], t[51], t[52], t.x, t.y)`, "52\t7\t8\t9\t5\t6"},
	{"keyed and many values", `local function f() return "a", "b" end local t = {x = f(), ` + strings.Repeat("7,", 60) + `f()} print(#t, t[1], t[60], t[61], t[62], t.x)`, "62\t7\t7\ta\tb\ta"},

	// Conversions.
	{"numbers from strings", `print(("x"):rep("3"), ("abc"):sub("2"), ("12ab"):sub(("2x"):match("%d+")), math.max("10", 9), math.floor("3.7"))`, "xxx\tbc\t2ab\t10\t3"},
	{"strings from numbers", `print(table.concat({1, 2.5, "a"}, 0))`, "102.50a"},
	{"string functions of numbers", `print(string.rep(12, 2), string.len(123), string.find(12345, 34), string.upper(1.5), string.byte(7), string.gsub(112, 1, 3))`, "1212\t3\t3\t1.5\t55\t332\t2"},
	{"numeric for", `for i = "1", "2" do print(i, type(i)) end for i = 3, 1, "-2" do print(i) end`, "1\tnumber\n2\tnumber\n3\n1"},
	{"arithmetic with strings", `print("10" + 5, "3" * "4", -"2", "0x10" + 0, " 7 " % 4, 2 ^ "3", "1e1" - 1, 10 .. 20)`, "15\t12\t-2\t16\t3\t8\t9\t1020"},
	{"no numbers", `print(tonumber("1_0"), tonumber("0b11"), tonumber("0o7"), tonumber("1e"), tonumber(""), tonumber("0x"), tonumber("- 1"), tonumber("1 2"))
		print(pcall(function() return "1_0" + 1 end)) print(pcall(string.rep, "x", "0b11"))`,
		"nil\tnil\tnil\tnil\tnil\tnil\tnil\tnil\nfalse\tt.lua:2: attempt to perform arithmetic on a string value\nfalse\tbad argument #2 to '?' (number expected, got string)"},
	{"numbers", `print(tonumber("010"), 010, tonumber("0x1p4"), tonumber("5."), tonumber(".5"), tonumber("+5"), tonumber("zz", 36), tonumber("-ff", 16), tonumber("8", 8))`,
		"10\t10\t16\t5\t0.5\t5\t1295\t1.844674407371e+19\tnil"},
	{"numbers as text", `print(1e15, 1e14, 123456789012, 2^53, 0.1, 1/3, 1e100, -1e-7, 1/0, -1/0, 3.0, 0.1 + 0.2 .. "")`,
		"1e+15\t1e+14\t123456789012\t9.007199254741e+15\t0.1\t0.33333333333333\t1e+100\t-1e-07\tinf\t-inf\t3\t0.3"},
	{"metamethods and strings", `local m = setmetatable({}, {__add = function(a, b) return "add" end, __unm = function() return "unm" end}) print("1" + m, m + "1", -m)`, "add\tadd\tunm"},
	{"argument errors", `print(pcall(string.rep)) print(pcall(string.rep, "x", {})) print(pcall(math.max)) print(pcall(tostring)) print(pcall(ipairs))`,
		"false\tbad argument #1 to '?' (string expected, got no value)\nfalse\tbad argument #2 to '?' (number expected, got table)\n" +
			"false\tbad argument #1 to '?' (number expected, got no value)\nfalse\tbad argument #1 to '?' (value expected)\nfalse\tbad argument #1 to '?' (table expected, got no value)"},

	// Single functions.
	{"gmatch and '^'", `for w in ("^a^a"):gmatch("^a") do print(w) end for w in ("aa"):gmatch("^a") do print(w) end`, "^a\n^a"},
	{"remove outside", `local t = {1, 2, 3} print(select("#", table.remove(t, 7)), select("#", table.remove(t, 0)), select("#", table.remove({})), #t)
		print(table.remove(t, 1), table.remove(t), #t)`, "0\t0\t0\t3\n1\t3\t1"},
	{"xpcall's handler", `print(xpcall(function() error("a", 0) end, function(e) return e .. "!", 2 end)) print(xpcall(error, function() error("y") end))
		local k = 0 print(xpcall(error, function(e) k = k + 1 if k < 3 then error("again", 0) end return e end), k)`, "false\ta!\nfalse\terror in error handling\nfalse\t3"},
	{"modulo", `print(5 % -3, -5 % 3, 5.5 % 2, -5.5 % 2, 1 % 0.1, 0.3 % 0.1 < 0.1, -7 % 7, 7 % -7) local a, b = -14, 7 print(a % b, a % 7, -a % b, 5.3 % -b)`,
		"-1\t1\t1.5\t0.5\t0\ttrue\t0\t0\n0\t0\t0\t-1.7"},
	{"modulo of infinities", `local inf = math.huge print(5 % inf ~= 5 % inf, -5 % inf ~= 0, inf % 5 ~= inf % 5, 5 % 0 ~= 5 % 0)`, "true\ttrue\ttrue\ttrue"},
	{"and with a false field", `local t, a, b, c = {}, 1, 2, 3 a = t.x and 2 b = not t and t.y c = (g and 1) and 3 print(a, b, c)`, "nil\tfalse\tnil"},
	{"and with a false call", `local a = 1 local function f(b) b = tonumber("x") and b a = (f2 and 5) return b end print(f(7), a)`, "nil\tnil"},
	{"and before or", `local t, a, b = {}, 1, 2 a = t.x and 2 or t.y b = t.x and (2 or 3) for i = 1, 2 do b = i > 1 and t.x and b end print(a, b)`, "nil\tnil"},
	{"modulo of large numbers", `local x = 3117711773311771177 print(x % 3 == 0, (2 ^ 60 + 1) % 7 < 1, 1 - x % 3, ({[0] = "zero"})[x % 3])`, "true\ttrue\t1\tzero"},
	{"modulo in conditions", `local n = 0 for i = -10, 10 do if i % 3 == 0 then n = n + i % 4 end end local t = {[0] = "z"} print(n, t[-9 % 3], 1 + -6 % 3)`, "12\tz\t1"},
	{"fmod", `print(math.mod(-6, 4), math.fmod(-6, 4), math.fmod(6, -4), math.fmod(5, math.huge), math.mod(5.5, 2))`, "-2\t-2\t2\t5\t1.5"},
	{"modf", `print(math.modf(-3.5)) print(math.modf(math.huge)) print(math.frexp(8)) print(math.ldexp(1, "3"))`, "-3\t-0.5\ninf\t0\n0.5\t4\n8"},
	{"format's flags", `print(string.format("%+d|% d|%u|%5u|%-5d|%05d|%+.2f|% .3g|%#x|%+x", 3, 4, 5, 6, 7, 8, 9.123, 10.5, 255, 255))`, "+3| 4|5|    6|7    |00008|+9.12| 10.5|0xff|ff"},
	{"format's limits", `print(string.format("%u %x %d", -1, -1, 2^53)) print(string.format("%f|%+f|% f|%E|%5.1f", 1/0, 1/0, 1/0, 1/0, -1/0))`,
		"18446744073709551615 ffffffffffffffff 9007199254740992\ninf|+inf| inf|INF| -inf"},
	{"format's errors", `print(pcall(string.format, "%y", 1)) print(pcall(string.format, "%123d", 1)) print(pcall(string.format, "%------d", 1)) print(pcall(string.format, "%d"))`,
		"false\tinvalid option '%y' to 'format'\nfalse\tinvalid format (width or precision too long)\nfalse\tinvalid format (repeated flags)\nfalse\tbad argument #2 to '?' (no value)"},
	{"gsub's replacement", `print(("abc"):gsub("b", "%1"), ("abc"):gsub("", "x", -1), ("hello"):gsub("", "-")) print(pcall(string.gsub, "abc", "b", "%2"))`, "abc\tabc\t-h-e-l-l-o-\t6\nfalse\tinvalid capture index"},
	{"equal elements of a sort", `local t = {} for i = 1, 30 do t[i] = {i % 3, i} end table.sort(t, function(a, b) return a[1] < b[1] end)
		local s = {} for i, e in ipairs(t) do s[i] = e[2] end print(table.concat(s, " "))`,
		"30 18 12 21 27 24 9 15 6 3 22 4 7 28 25 16 19 1 10 13 29 26 2 8 20 11 23 17 14 5"},
	{"sort's errors", `print(pcall(table.sort, {1, 2, 3, 4, 5}, function() return true end)) print(pcall(table.sort, {3, 1, "x"}))`,
		"false\tinvalid order function for sorting\nfalse\tattempt to compare string with number"},
	{"insert", `local t = {10, 20} table.insert(t, 2, 15) table.insert(t, -1, 5) print(t[-1], t[0], t[1], t[2], t[3], t[4]) print(pcall(table.insert, {}, 1, 2, 3))`, "5\tnil\tnil\t10\t15\t20\nfalse\twrong number of arguments to 'insert'"},
	{"comparisons", `print(pcall(function() return nil < nil end)) print(pcall(function() return 1 < "2" end)) print(pcall(function() return {} + 1 end))`,
		"false\tt.lua:1: attempt to compare two nil values\nfalse\tt.lua:1: attempt to compare number with string\nfalse\tt.lua:1: attempt to perform arithmetic on a table value"},
	{"constant conditions, and loops that begin with a jump", `local n=0 while true do if false then n=100 end n=n+1 if n>5 then break end end print(n)
n=0 repeat if false then n=100 end n=n+1 until n>5 print(n)
n=0 while true do while false do n=100 end n=n+1 if n>5 then break end end print(n)
n=0 while n<5 do if nil then n=50 else n=n+1 end end print(n)
n=0 for i=1,5 do if false then n=50 elseif nil then n=60 else n=n+i end end print(n)
n=0 while true do if not true then n=50 end if n==7 then break end n=n+1 end print(n)
n=0 while true do local x = false and 1 or 2 n=n+x if n>9 then break end end print(n)
n=0 repeat local x = nil if x then break end n=n+1 until n==4 or false print(n)
n=0 for k in pairs({1,2,3}) do if false then n=50 end n=n+k end print(n)
n=0 for k in pairs({1,2,3}) do while nil do n=50 end n=n+k end print(n)
n=0 while true do do if n==3 then break end end n=n+1 end print(n)
print(nil and 1, false and 1, true and 2, 1 or 2, nil or 3, "" and 4, not nil, not 1, not not nil, (true and unpack({1,2})), true and unpack({1,2}))
print((function() return true and unpack({1,2}) end)())
local t = {true and unpack({1,2,3})} print(#t) t = {n = 1 and unpack({7,8})} print(t.n, #t) 
for i=1,3 do if true then local x = i break end end
while false do n = 1 end print(n)
if 0 then print("zero") end if "" then print("empty") elseif true then print("no") else print("no") end
if nil then print(1) elseif false then print(2) elseif n then print(3) else print(4) end
repeat local z = 1 until true print(pcall(function() while true do return 1 and 2 end end))
n=0 while 1 do n=n+1 if n>3 then break end end print(n)
n=0 repeat n=n+1 if n>7 then break end until false print(n)
for a=1,2 do for b=1,3 do if b==2 then break end print(a,b) end end
print(pcall(function() local f = nil and 1 f() end)) print(pcall(function() (nil or nil)() end))`,
		"6\n6\n6\n5\n15\n7\n10\n4\n6\n6\n3\nnil\tfalse\t2\t1\t3\t4\ttrue\tfalse\tfalse\t1\t1\n1\n1\n7\t0\n3\nzero\nempty\n3\ntrue\t2\n4\n8\n1\t1\n2\t1\nfalse\tt.lua:23: attempt to call local 'f' (a nil value)\nfalse\tt.lua:23: attempt to call a nil value"},
	{"error with a number", `print(pcall(error, 12)) print(pcall(function() error(12) end))`, "false\t12\nfalse\tt.lua:1: 12"},
}

// TestManyTargets checks assignments that swap and reverse many variables and fields.
func TestManyTargets(t *testing.T) {
	for _, n := range []int{2, 29, 30, 31, 49, 50, 51, 60, 90} {
		for _, form := range []string{"v%d", "t.f%d", "t[t.f%[1]d and %[1]d]"} {
			var targets []string
			for i := range n {
				targets = append(targets, fmt.Sprintf(form, i))
			}
			var declare strings.Builder
			var turned, back, want []string
			for i := range n {
				fmt.Fprintf(&declare, "local v%d = %d t.f%d = %d t[%d] = %d ", i, i, i, i, i, i)
				turned = append(turned, targets[(i+1)%n])
				back = append(back, targets[n-1-i])
				want = append(want, fmt.Sprint((n-i)%n))
			}
			all := strings.Join(targets, ", ")
			got := printed(t, "local t = {} "+declare.String()+all+" = "+strings.Join(turned, ", ")+"\n"+
				all+" = "+strings.Join(back, ", ")+"\nprint(table.concat({"+all+"}, ' '))")
			if diff := cmp.Diff(strings.Join(want, " ")+"\n", got); diff != "" {
				t.Errorf("%d targets as %s: %.300s", n, form, diff)
			}
		}
	}
}

func TestSameAsPUC(t *testing.T) {
	for _, test := range pucCases {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want+"\n", printed(t, test.text)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// printed returns the output of a chunk.
func printed(t *testing.T, text string) string {
	v := New(Limits{})
	defer v.Close()
	var b strings.Builder
	v.SetPrint(func(line string) { b.WriteString(line + "\n") })
	if _, err := v.Run(context.Background(), text, "t.lua"); err != nil {
		b.WriteString(err.Error() + "\n")
	}
	return b.String()
}

// TestPUCPrints compares the expectations of TestSameAsPUC with lua5.1.
func TestPUCPrints(t *testing.T) {
	for _, test := range pucCases {
		if got := pucPrints(t, test.text); got != test.want+"\n" {
			t.Errorf("%s: lua5.1 prints %q, want %q", test.name, got, test.want)
		}
	}
}

// pucPrints returns the output of lua5.1 for a chunk. It skips the test if lua5.1 is not
// installed.
func pucPrints(t *testing.T, text string) string {
	path, err := exec.LookPath("lua5.1")
	if err != nil {
		t.Skip("lua5.1 is not installed")
	}
	// For lua5.1, the name of a chunk that is given as text is the text.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "-e", `local f, e = loadstring(io.read("*a"), "@t.lua") if not f then print(e) else f() end`)
	cmd.Stdin = strings.NewReader(text)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Logf("lua5.1: %v", err)
	}
	return string(out)
}
