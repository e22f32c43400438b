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

// workspace creates a workspace with a pipeline.
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

// call calls a subcommand and returns its output and its error, if any.
func call(f cli.Func, stdin string, args ...string) (string, string) {
	var out, errs strings.Builder
	e := &cli.Env{Name: "quire-ci", Args: args, Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errs,
		Getenv: func(string) string { return "" }}
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
		{"validate an invalid pipeline", validate, "", []string{"--workspace", bad}, "", ".quire/ci.fnl:1:2: unknown identifier: oops"},
		{"validate without a pipeline", validate, "", []string{"--workspace", t.TempDir()}, "", "no pipeline: neither '.quire/ci.fnl' nor '.quire/ci.lua' exists"},
		{"validate a link to another workspace", validate, "", []string{"--workspace", outside}, "", ".quire/ci.fnl: is not a regular file"},
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

// TestCompilePrintsWhatIsLoaded compares a Fennel pipeline with the Lua that compile
// prints for it, used as .quire/ci.lua: the same jobs, and the same errors on the same
// lines.
func TestCompilePrintsWhatIsLoaded(t *testing.T) {
	const head = "(local ci (require :quire.ci))\n"
	for _, test := range []struct{ name, text string }{
		{"jobs", head + "(each [_ n (ipairs [:a :b])]\n  (ci.job n [:quire/push] #nil))"},
		{"swap", head + "(var (a b) (values :x :y))\n(set (a b) (values b a))\n(ci.job a [:quire/push] #nil)"},
		{"macro", head + "(macro job [n] `(ci.job ,n [:quire/push] #nil))\n(job :a)"},
		{"text of Lua", head + "(lua \"local x = 'a'\")\n(ci.job (lua nil \"x\") [:quire/push] #nil)"},
		{"error", head + "\n(local t {})\n(print\n  t.x.y)"},
		{"error of Lua", head + "(lua \"x = = 1\")"},
	} {
		t.Run(test.name, func(t *testing.T) {
			fennel := workspace(t, test.text)
			text, errs := call(compile, "", filepath.Join(fennel, ".quire/ci.fnl"))
			if errs != "" {
				t.Fatal(errs)
			}
			lua := workspace(t, "")
			old := filepath.Join(lua, ".quire/ci.fnl")
			if err := errors.Join(os.Remove(old), os.WriteFile(filepath.Join(lua, ".quire/ci.lua"), []byte(text), 0o644)); err != nil {
				t.Fatal(err)
			}
			wantOut, wantErr := call(validate, "", "--workspace", fennel)
			out, err := call(validate, "", "--workspace", lua)
			if diff := cmp.Diff([]string{wantOut, firstError(wantErr)}, []string{out, firstError(err)}); diff != "" {
				t.Errorf("-Fennel +Lua:\n%s", diff)
			}
		})
	}
}

// firstError returns the line and the message of the first error, without the column.
func firstError(err string) string {
	first, _, _ := strings.Cut(err, "\n")
	file, rest, _ := strings.Cut(first, ":")
	if file == "" || !strings.HasPrefix(file, ".quire/ci.") {
		return first
	}
	line, rest, _ := strings.Cut(rest, ":")
	_, message, _ := strings.Cut(rest, ":")
	return line + message
}
