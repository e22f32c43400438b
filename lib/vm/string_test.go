package vm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// TestPatterns has its results from section 5.4.1 of the manual, checked with PUC Lua 5.1.
func TestPatterns(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{`("hello world"):find("wor")`, "7 9"},
		{`("hello"):find("")`, "1 0"},
		{`("hello"):find("", 10)`, "6 5"},
		{`("hello"):find("l+", -2)`, "4 4"},
		{`("a.b"):find(".", 2, true)`, "2 2"},
		{`("a+b"):find("+", 1, true)`, "2 2"},
		{`("key = value"):match("^(%w+)%s*=%s*(%w+)$")`, "key value"},
		{`("key"):match("()e()")`, "2 3"},
		{`("THE (quick) fox"):find("%((%a+)%)")`, "5 11 quick"},
		{`("f(a(b)c)d"):match("%b()")`, "(a(b)c)"},
		{`("THE (quick) fox"):gsub("%f[%a]%a+", "x")`, "x (x) x 3"},
		{`("abcabc"):match("(abc)%1")`, "abc"},
		{`("aXb"):match("%u"), ("a-b"):match("[a%-]+"), ("]x"):match("[]]"), ("x^"):match("[x^]+"), ("a"):match("[^a]")`, "X a- ] x^ nil"},
		{`("2026-01-31"):match("(%d+)-(%d+)-(%d+)")`, "2026 01 31"},
		{`("abc"):gsub("", "-")`, "-a-b-c- 4"},
		{`("abc"):gsub("%w", "%0%0", 2)`, "aabbc 2"},
		{`("hello world"):gsub("(%w+)", "<%1>")`, "<hello> <world> 2"},
		{`("$a $b"):gsub("%$(%w)", {a = "1"})`, "1 $b 2"},
		{`("abc"):gsub("b", function(c) return c:upper() end)`, "aBc 1"},
		{`("abc"):gsub("b", function() end)`, "abc 1"},
		{`("abc"):gsub("^a", "x"), ("aaa"):gsub("^a", "x")`, "xbc xaa 1"},
		{`("a,b,,c"):gsub(",", ";")`, "a;b;;c 3"},
		{`("aab"):match("a-b"), ("aab"):match("a?b"), ("b"):match("a*b"), ("b"):match("a+b")`, "aab ab b nil"},
		{`("x"):match("%w$"), ("x$"):match("x$$"), ("x$y"):match("$y")`, "x x$ $y"},
		{`("a\0b"):find("%z"), ("a\0b"):match("b")`, "2 b"},
		{`("x"):rep(3):gsub("x*", "-")`, "-- 2"},
		{`("é"):match("[\128-\255]+") == "é"`, "true"},
	} {
		got, err := run(t, Limits{}, "return "+test.text)
		if err != nil || got != test.want {
			t.Errorf("%s: got %q, %v; want %q", test.text, got, err, test.want)
		}
	}
}

func TestPatternErrors(t *testing.T) {
	for pattern, want := range map[string]string{
		"%":                           "malformed pattern (ends with '%')",
		"[a":                          "malformed pattern (missing ']')",
		"[]":                          "malformed pattern (missing ']')",
		"[%":                          "malformed pattern (missing ']')",
		"(a":                          "unfinished capture",
		"a)":                          "invalid pattern capture",
		"%1":                          "invalid capture index",
		"(%1)":                        "invalid capture index",
		"%b":                          "unbalanced pattern",
		"%fa":                         "missing '[' after '%f' in pattern",
		"%f":                          "missing '[' after '%f' in pattern",
		strings.Repeat("()", 33):      "too many captures",
		strings.Repeat("a?", 100_000): "pattern too complex",
	} {
		_, err := run(t, Limits{}, fmt.Sprintf("return (('a'):rep(1e5)):match(%q)", pattern))
		if err == nil || err.Error() != "test.lua:1: "+want {
			t.Errorf("%.20q: got %v, want %s", pattern, err, want)
		}
	}
}

func TestFormat(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{`"%d %5d|%-5d|%05d", 1, 2, 3, 4`, "1     2|3    |00004"},
		{`"%x %X %o", 255, 255, 8`, "ff FF 10"},
		{`"%d", 3.7`, "3"},
		{`"%s %s %s", 1, true, nil`, "1 true nil"},
		{`"%5s|%-5s|%.2s", "a", "b", "abc"`, "    a|b    |ab"},
		{`"%5.1f|%g|%g|%g", 3.14159, 0.1, 1e20, 100`, "  3.1|0.1|1e+20|100"},
		{`"%.14g", 3.14159265358979`, "3.1415926535898"},
		{`"%f %e", 1/0, -1/0`, "inf -inf"},
		{`"%q", 'a "b"\n\\'`, `"a \"b\"\` + "\n" + `\\"`},
		{`"%c%c", 72, 105`, "Hi"},
		{`"%%"`, "%"},
		{`"%i", "12"`, "12"},
	} {
		got, err := run(t, Limits{}, "return string.format("+test.text+")")
		if err != nil || got != test.want {
			t.Errorf("%s: got %q, %v; want %q", test.text, got, err, test.want)
		}
	}
	for text, want := range map[string]string{
		`"%d"`:         "bad argument #2 to 'format' (no value)",
		`"%d", "x"`:    "bad argument #2 to 'format' (number expected, got string)",
		`"%999d", 1`:   "invalid format (width or precision too long)",
		`"%.100f", 1`:  "invalid format (width or precision too long)",
		`"%", 1`:       "invalid option '%' to 'format'",
		`"%y", 1`:      "invalid option '%y' to 'format'",
		`"%s"`:         "bad argument #2 to 'format' (no value)",
		`"%*d", 5, 10`: "invalid option '%*' to 'format'",
	} {
		_, err := run(t, Limits{}, "return string.format("+text+")")
		if err == nil || err.Error() != "test.lua:1: "+want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// FuzzPattern checks that every pattern has a result or an error, and that patterns
// without special characters have the result of strings.Index.
func FuzzPattern(f *testing.F) {
	for _, seed := range []string{"", "a", "%w+", "(a*(.)%w(%s*))", "[%a_][%w_]*", "^%s*(.-)%s*$", "%b()", "%f[%w]", "[^]]", "a-b?$", "%1", "["} {
		f.Add("a (b) c_1", seed)
	}
	v := New(Limits{Time: 50 * time.Millisecond})
	find := v.State().GetField(v.State().GetGlobal("string"), "find").(*lua.LFunction)
	gsub := v.State().GetField(v.State().GetGlobal("string"), "gsub").(*lua.LFunction)
	f.Fuzz(func(t *testing.T, s, pattern string) {
		values, err := v.Call(context.Background(), find, lua.LString(s), lua.LString(pattern))
		var e *Error
		if err != nil && !errors.As(err, &e) || err != nil && strings.Contains(err.Error(), "runtime error") {
			t.Fatal(err)
		}
		if !strings.ContainsAny(pattern, specials+")]") {
			if i := strings.Index(s, pattern); i < 0 != (values[0] == lua.LNil) || i >= 0 && values[0] != lua.LNumber(i+1) {
				t.Errorf("got %v, want %d", values, i+1)
			}
		}
		if _, err := v.Call(context.Background(), gsub, lua.LString(s), lua.LString(pattern), lua.LString("%0")); err == nil {
			return
		} else if strings.Contains(err.Error(), "runtime error") {
			t.Fatal(err)
		}
	})
}
