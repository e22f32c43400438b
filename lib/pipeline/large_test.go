package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"quire/lib/diag"
	"quire/lib/vm"
)

// TestLargeTexts loads texts that are hard on a compiler. They have part of the allowed
// size, so that the race detector gets through them.
func TestLargeTexts(t *testing.T) {
	const size = maxSize / 16
	rep := func(s string) string { return strings.Repeat(s, size/len(s)) }
	numbered := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < size; i++ {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for _, test := range []struct{ name, file, text string }{
		{"parentheses", Lua, "x = " + rep("(")},
		{"braces", Lua, "x = " + rep("{")},
		{"closed braces", Lua, "x = " + rep("{")[:30_000] + rep("}")[:30_000]},
		{"nots", Lua, "x = " + rep("not ") + "1"},
		{"concatenations", Lua, "x = " + rep("'a' .. ") + "'b'"},
		{"powers", Lua, "x = " + rep("2 ^ ") + "2"},
		{"sums", Lua, "x = " + rep("2 + ") + "2"},
		{"fields", Lua, "x = x" + rep(".y")},
		{"calls", Lua, "x" + rep("()")},
		{"functions", Lua, rep("function f() ")},
		{"blocks", Lua, rep("do ")},
		{"elseifs", Lua, "if x then " + rep("elseif x then ") + "end"},
		{"constants", Lua, "x = {" + numbered("%d,") + "}"},
		{"globals", Lua, numbered("x%d=1 ")},
		{"locals", Lua, numbered("local x%d ")},
		{"fields of a table", Lua, "x = {" + numbered("x%d=1,") + "}"},
		{"labels", Lua, numbered("::x%d:: ")},
		{"gotos", Lua, numbered("goto x%d ")},
		{"comment", Lua, "--[[" + rep("a")},
		{"string", Lua, "x = '" + rep("a")},
		{"statements", Lua, rep("x()\n")},
		{"parentheses", Fennel, rep("(")},
		{"braces", Fennel, rep("{")},
		{"closed brackets", Fennel, rep("[")[:30_000] + rep("]")[:30_000]},
		{"quotes", Fennel, rep("`")},
		{"hashes", Fennel, rep("#") + "x"},
		{"constants", Fennel, "[" + numbered("%d ") + "]"},
		{"locals", Fennel, numbered("(local x%d 1)")},
		{"calls", Fennel, rep("(print)\n")},
		{"concatenation", Fennel, "(print (.. " + rep("\"a\" ") + "))"},
		{"sum", Fennel, "(print (+ " + rep("1 ") + "))"},
		{"fields", Fennel, "(print _G" + rep(".x") + ")"},
		{"threads", Fennel, "(-> 1 " + rep("(+ 1) ") + ")"},
		{"string", Fennel, "\"" + rep("a")},
	} {
		t.Run(test.file[7:]+"/"+test.name, func(t *testing.T) {
			began := cpuTime(t)
			p, err := Load(context.Background(), files(test.file, test.text), Options{})
			if took := cpuTime(t) - began; took > 10*time.Second {
				t.Errorf("took %s", took)
			}
			if err == nil {
				p.Close()
			} else if !errors.As(err, new(diag.List)) {
				t.Errorf("%.200v", err)
			}
		})
	}
}

// TestLoadLimits checks that a pipeline that takes too much to load is at fault, and not
// quire.
func TestLoadLimits(t *testing.T) {
	limits := vm.Limits{Time: time.Minute, Memory: 8 << 20}
	for _, test := range []struct{ file, text string }{
		{Lua, "x = " + strings.Repeat("{", maxSize/2)},
		{Lua, strings.Repeat("f() ", maxSize/5)},
		{Fennel, strings.Repeat("(f) ", maxSize/5)},
	} {
		runtime.GC() // The limit is on growth since the last collection.
		_, err := Load(context.Background(), files(test.file, test.text), Options{Limits: limits})
		var list diag.List
		if !errors.As(err, &list) || !strings.Contains(list[0].Message, "used more than 8 MiB") {
			t.Errorf("%.20s: got %v", test.text, err)
		}
	}
}

// cpuTime returns the processor time of the process so far. A busy machine does not
// change it.
func cpuTime(t *testing.T) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
