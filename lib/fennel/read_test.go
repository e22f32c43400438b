package fennel

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quire/lib/diag"
)

// positions writes every node below n with its position.
func positions(n Node) []string {
	var out []string
	var walk func(Node)
	walk = func(n Node) {
		out = append(out, fmt.Sprintf("%d:%d %s", n.Pos().Line, n.Pos().Column, format(n)))
		switch n := n.(type) {
		case *List:
			for _, item := range n.Items {
				walk(item)
			}
		case *Sequence:
			for _, item := range n.Items {
				walk(item)
			}
		case *Table:
			for i, k := range n.Keys {
				walk(k)
				walk(n.Values[i])
			}
		}
	}
	walk(n)
	return out
}

func TestReadPositions(t *testing.T) {
	for _, c := range []struct {
		src  string
		want []string
	}{
		{"(ci.job :a\n  [:b \"c\"])", []string{
			`1:1 (ci.job "a" ["b" "c"])`, `1:2 ci.job`, `1:9 "a"`, `2:3 ["b" "c"]`, `2:4 "b"`, `2:7 "c"`}},
		{"{: é :ü 1}", []string{`1:1 {:é é :ü 1}`, `1:4 "é"`, `1:4 é`, `1:6 "ü"`, `1:9 1`}},
		{"; x\n\n#(+ $ 1.5)", []string{`3:1 (hashfn (+ $ 1.5))`, `3:1 hashfn`, `3:2 (+ $ 1.5)`, `3:3 +`, `3:5 $`, `3:7 1.5`}},
		{"#!/usr/bin/env x\n...", []string{`2:1 ...`}},
		{"`(a ,b)", []string{`1:1 (quote (a (unquote b)))`, `1:1 quote`, `1:2 (a (unquote b))`, `1:3 a`,
			`1:5 (unquote b)`, `1:5 unquote`, `1:6 b`}},
	} {
		forms, err := Read([]byte(c.src), "t.fnl")
		if err != nil || len(forms) != 1 {
			t.Fatalf("%s: %d forms, %v", c.src, len(forms), err)
		}
		if diff := cmp.Diff(c.want, positions(forms[0])); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.src, diff)
		}
		if f := forms[0].(interface{ File() string }).File(); f != "t.fnl" {
			t.Errorf("%s: file %q", c.src, f)
		}
	}
}

func TestReadLiterals(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{`"a\n\t\"\\\65\x41\u{e9}\z
		   b"`, "a\n\t\"\\AAéb"},
		{"\"two\nlines\"", "two\nlines"},
		{"\"cut\\\nhere\"", "cut\nhere"},
		{":quire/push", "quire/push"},
		{"::", ":"},
	} {
		forms, err := Read([]byte(c.src), "t.fnl")
		if err != nil {
			t.Fatal(err)
		}
		if got := forms[0].(*String).Value; got != c.want {
			t.Errorf("%s: got %q, want %q", c.src, got, c.want)
		}
	}
	for src, want := range map[string]float64{
		"1": 1, "1_000": 1000, ".5": .5, "1.": 1, "1e3": 1000, "0xff": 255, "-0x10": -16, "+1": 1, "0x.8": .5, "0x1p4": 16,
	} {
		forms, err := Read([]byte(src), "t.fnl")
		if err != nil {
			t.Fatal(err)
		}
		n, ok := forms[0].(*Number)
		if !ok || n.Value != want {
			t.Errorf("%s: got %s, want %v", src, format(forms[0]), want)
		}
	}
	for _, src := range []string{"+", "-", "_1", "+x", "inf", "nan", "-nan", "a-b", "..", "&as", "~=", "t.1", "$..."} {
		forms, err := Read([]byte(src), "t.fnl")
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := forms[0].(*Symbol); !ok || s.Name != src {
			t.Errorf("%s: got %T %s", src, forms[0], format(forms[0]))
		}
	}
}

// wantErrors compares diagnostics, written as LINE:COLUMN MESSAGE.
func wantErrors(t *testing.T, err error, want ...string) {
	t.Helper()
	var list diag.List
	if err != nil && !errors.As(err, &list) {
		t.Fatalf("not diagnostics: %v", err)
	}
	var got []string
	for _, d := range list {
		got = append(got, fmt.Sprintf("%d:%d %s", d.Line, d.Column, d.Message))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("errors (-want +got)\n%s", diff)
	}
}

func TestReadErrors(t *testing.T) {
	for _, c := range []struct {
		src  string
		want []string
	}{
		{"(f(x))", []string{"1:3 expected whitespace before opening delimiter ("}},
		{"(a", []string{"1:3 expected closing delimiter )"}},
		{"(a [b {c\n", []string{"2:1 expected closing delimiters }])"}},
		{"(a]\n(b)", []string{"1:3 mismatched closing delimiter ], expected )"}},
		{"(a))\n\n(b))", []string{"1:4 unexpected closing delimiter )", "3:4 unexpected closing delimiter )"}},
		{"{:a}", []string{"1:1 expected even number of values in table literal"}},
		{"(x @ 1x \"\\q\" a..b)", []string{
			"1:4 invalid character: @", "1:6 could not read number: 1x", `1:10 invalid escape \q`, "1:14 malformed multisym: a..b"}},
		{"\"abc", []string{`1:5 expected closing delimiter "`}},
		{"(` )", []string{"1:2 expected a form after the prefix `"}},
		{strings.Repeat("(", 500), []string{"1:401 nested too deeply: more than 400 levels"}},
	} {
		_, err := Read([]byte(c.src), "t.fnl")
		t.Run(c.src[:min(20, len(c.src))], func(t *testing.T) { wantErrors(t, err, c.want...) })
	}
}

func TestReadStopsAfterManyErrors(t *testing.T) {
	_, err := Read([]byte(strings.Repeat("@ ", 1000)), "t.fnl")
	var list diag.List
	if !errors.As(err, &list) || len(list) != maxErrors {
		t.Errorf("%d errors, want %d", len(list), maxErrors)
	}
}
