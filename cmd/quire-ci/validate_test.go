package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quire/lib/cli"
)

// workspace makes a workspace with a pipeline.
func workspace(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, ".quire"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".quire/ci.fnl"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// call calls a subcommand and returns what it prints and its error, if any.
func call(f cli.Func, stdin string, args ...string) (string, string) {
	var out, errs strings.Builder
	e := &cli.Env{Name: "quire-ci", Args: args, Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errs}
	if err := f(context.Background(), e); err != nil {
		return out.String(), err.Error()
	}
	return out.String(), errs.String()
}

func TestPipelineCommands(t *testing.T) {
	good := workspace(t, `(local ci (require :quire.ci))
(print :loaded)
(ci.job :b [:a :quire/push] #nil)
(ci.job "a\"\\" [:quire/push] #nil)
(ci.job :a [:quire/push] #nil)`)
	bad := workspace(t, `(oops)`)
	macro := workspace(t, "(import-macros {: once} :m) (once 1)")
	if err := os.WriteFile(filepath.Join(macro, ".quire/m.fnl"), []byte("{:once (fn [x] `(print ,x))}"), 0o644); err != nil {
		t.Fatal(err)
	}
	outside := workspace(t, "")
	link := filepath.Join(outside, ".quire/ci.fnl")
	if err := errors.Join(os.Remove(link), os.Symlink(filepath.Join(good, ".quire/ci.fnl"), link)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name     string
		run      cli.Func
		stdin    string
		args     []string
		out, err string
	}{
		{"validate", validate, "", []string{"--workspace", good}, "a\"\\\tquire/push\na\tquire/push\nb\ta quire/push\n", "loaded\n"},
		{"validate what is wrong", validate, "", []string{"--workspace", bad}, "", ".quire/ci.fnl:1:2: unknown identifier: oops"},
		{"validate nothing", validate, "", []string{"--workspace", t.TempDir()}, "", "no pipeline: neither '.quire/ci.fnl' nor '.quire/ci.lua' exists"},
		{"validate outside", validate, "", []string{"--workspace", outside}, "", ".quire/ci.fnl: is not a regular file"},
		{"no workspace", validate, "", []string{"--workspace", "/none"}, "", "cannot read workspace '/none': no such file or directory"},
		{"graph", graph, "", []string{"--workspace", good}, `digraph pipeline {
	"quire/push" [shape=box];
	"a\"\\";
	"quire/push" -> "a\"\\";
	"a";
	"quire/push" -> "a";
	"b";
	"a" -> "b";
	"quire/push" -> "b";
}
`, "loaded\n"},
		{"compile", compile, "(print 1)", nil, "return print(1)\n", ""},
		{"compile strictly", compile, "(foo 1)", []string{"--strict"}, "", "stdin:1:2: unknown identifier: foo"},
		{"compile not strictly", compile, "(foo 1)", []string{"--no-strict", "-"}, "return foo(1)\n", ""},
		{"compile with macros", compile, "", []string{filepath.Join(macro, ".quire/ci.fnl")}, "return print(1)\n", ""},
		{"compile no file", compile, "", []string{"none"}, "", "cannot read 'none': no such file or directory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, err := call(test.run, test.stdin, test.args...)
			if diff := cmp.Diff(test.out, out); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.err, err); diff != "" {
				t.Error(diff)
			}
		})
	}
}
