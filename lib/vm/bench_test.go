package vm

import (
	"context"
	"slices"
	"testing"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// BenchmarkNew measures the first cost of each command that reads a pipeline.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		New(Limits{}).Close()
	}
}

// BenchmarkRun measures a loop whose every instruction checks the call.
func BenchmarkRun(b *testing.B) {
	v := New(Limits{})
	defer v.Close()
	fn, err := v.Load("local n = 0 for i = 1, 100000 do n = n + i end return n", "bench")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := v.Call(context.Background(), fn); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPlain measures how many times as long as plain gopher-lua a VM takes, by the
// median of rounds. In each round both run in turn. The aim is at most 1.25, and less than 1
// for strings and patterns.
func BenchmarkPlain(b *testing.B) {
	for _, test := range []struct{ name, text string }{
		{"for", "local n = 0 for i = 1, 1000000 do n = n + i end"},
		{"while", "local n = 0 while n < 1000000 do n = n + 1 end"},
		{"field", "local t, n = {x = 1}, 0 for i = 1, 1000000 do n = n + t.x end"},
		{"index", "local t, n = {1, 2, 3}, 0 for i = 1, 1000000 do n = n + t[2] end"},
		{"append", "local t = {} for i = 1, 500000 do t[i] = i end"},
		{"call", "local function f(a) return a end local n = 0 for i = 1, 300000 do n = n + f(i) end"},
		{"closure", "local n = 0 for i = 1, 200000 do local f = function() n = n + i end f() end"},
		{"pcall", "local function f() end for i = 1, 20000 do pcall(f) end"},
		{"concat", "local n = 0 for i = 1, 200000 do local s = 'a' .. i n = n + #s end"},
		{"gsub", "for i = 1, 10000 do local s = ('abc'):rep(20):upper():gsub('B', 'x') end"},
		{"match", "for i = 1, 20000 do local k, v = ('key = value'):match('(%w+)%s*=%s*(%w+)') end"},
	} {
		b.Run(test.name, func(b *testing.B) {
			v := New(Limits{})
			defer v.Close()
			ours, err := v.Load(test.text, "bench")
			if err != nil {
				b.Fatal(err)
			}
			l := lua.NewState()
			defer l.Close()
			plain, err := l.LoadString(test.text)
			if err != nil {
				b.Fatal(err)
			}
			var ratios []float64
			for b.Loop() {
				start := time.Now()
				if _, err := v.Call(context.Background(), ours); err != nil {
					b.Fatal(err)
				}
				took := time.Since(start)
				start = time.Now()
				l.Push(plain)
				l.Call(0, 0)
				ratios = append(ratios, float64(took)/float64(time.Since(start)))
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "times-plain")
		})
	}
}
