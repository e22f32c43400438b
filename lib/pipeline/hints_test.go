package pipeline

import (
	"context"
	"errors"
	"strings"
	"testing"

	"quire/lib/diag"
)

// TestHints loads typical mistakes of beginners, and checks the first message and its
// hint.
func TestHints(t *testing.T) {
	const (
		head    = "(local ci (require :quire.ci))\n"
		luaHead = "local ci = require(\"quire.ci\")\n"
	)
	for _, test := range []struct{ file, text, message, hint string }{
		{Fennel, head + "(ci.job :a [:quire/push] (fn [] (sh :x)))", "unknown identifier: sh", "take it as an argument: (fn [{: sh}] ...)"},
		{Fennel, head + "(ci.job :a [:quire/push] #(read-file :x))", "unknown identifier: read-file", "take it as an argument: (fn [{: read-file}] ...)"},
		{Fennel, "(ci.job :a [:quire/push] #nil)", "unknown identifier: ci", "begin with (local ci (require :quire.ci))"},
		{Fennel, head + "(io.open :x)", "unknown identifier: io", "a pipeline reaches no files of its own: use read-file, write-file or sh"},
		{Fennel, "(local ci (require :quire))", "module 'quire' not found", "did you mean quire.ci?"},
		{Fennel, head + "(ci.jobs :a [:quire/push] #nil)", "attempt to call field 'jobs' (a nil value)", "did you mean ci.job?"},
		{Lua, luaHead + "os.getenv('HOME')", "attempt to call field 'getenv' (a nil value)", "use env, which the run-fn gets: (fn [{: env}] (env :NAME))"},
		{Fennel, head + "(os.execute :x)", "attempt to call field 'execute' (a nil value)", "use sh, which the run-fn gets: (fn [{: sh}] (sh :command))"},
		{Fennel, head + "(ci.job :a :quire/push #nil)", "inputs of job 'a' must be a sequence of strings, not 'quire/push'", "write [:quire/push]"},
		{Fennel, head + "(ci.job :a :b #nil)", "inputs of job 'a' must be a sequence of strings, not 'b'", "write [:b]"},
		{Fennel, head + "(ci.job :a [:push] #nil)", "unknown input 'push' of job 'a'", "did you mean quire/push?"},
		{Fennel, luaHead + "ci.job('a', {'quire/push'}, function(p) p.sh('x') end)", "this looks like Lua", "name the file .quire/ci.lua"},
		{Fennel, "-- a comment\nfoo()", "this looks like Lua", "name the file .quire/ci.lua"},
		{Fennel, head + "(ci.job :a [:quire/push]\n  (fn []\n    1)", "expected closing delimiter )", "the innermost one was opened at line 2, column 1: (ci.job :a [:quire/push]"},
		{Fennel, head + "(ci.job :a [:quire/push] (fn [{: sh : shell}] (sh :x)))", "unknown primitive 'shell'", "the primitives are env, jobs, log, read-file, read-json, secret, sh, write-file"},
		{Fennel, head + "(fn build [{: shell}] 1)\n(ci.job :a [:quire/push] build)", "unknown primitive 'shell'", "the primitives are env, jobs, log, read-file, read-json, secret, sh, write-file"},
		{Fennel, head + "(ci.job :a [:quire/push] (lambda [{:sh run}] (run :x {:dir :y})))", "unknown option 'dir' of sh", "the options are check, cwd, env, shell, stdin, timeout"},
		{Fennel, head + "(ci.job :a [:quire/push] (fn [{: sh}] (sh [:x :y] {:shell [:bash :-c]})))", "option 'shell' of sh is only for a command that is a string", "write the shell as the first words of the command, or the command as a string"},
		{Fennel, head + "(ci.job :a [:quire/push] (fn [{:sh run}] (run [] {:env {} :shell []})))", "option 'shell' of sh is only for a command that is a string", "write the shell as the first words of the command, or the command as a string"},
		{Lua, luaHead + "ci.job('a', {'quire/push'}, function() sh('x') end)", "unknown global: sh", `take it from the argument of the function: function(p) p["sh"](...) end`},
		{Lua, "ci.job('a', {'quire/push'}, print)", "unknown global: ci", `begin with local ci = require("quire.ci")`},
		{Lua, luaHead + "local function f() return foo end\nci.job('a', {'quire/push'}, f)", "unknown global: foo", "declare it with local, or look for a misspelling"},
		{Lua, luaHead + "ci.job('a', 'quire/push', print)", "inputs of job 'a' must be a sequence of strings, not 'quire/push'", `write {"quire/push"}`},
	} {
		t.Run(test.text, func(t *testing.T) {
			_, err := Load(context.Background(), files(test.file, test.text), Options{})
			var list diag.List
			if !errors.As(err, &list) {
				t.Fatal(err)
			}
			if d := list[0]; !strings.HasPrefix(d.Message, test.message) || d.Hint != test.hint {
				t.Errorf("got %q, hint %q; want %q, hint %q", d.Message, d.Hint, test.message, test.hint)
			}
		})
	}
}

// TestSecretNames checks which names of secrets are found.
func TestSecretNames(t *testing.T) {
	p := load(t, files(Fennel, "(local ci (require :quire.ci))\n(local name :c)\n"+
		"(ci.job :a [:quire/push] (fn [{: sh : secret}] (sh :x {:env {:A (secret :a)}}) (secret name)))\n"+
		"(ci.job :b [:quire/push] (fn [{:secret get}] (get :b)))"))
	var names []string
	for _, s := range p.Secrets {
		names = append(names, s.Name)
	}
	if got := strings.Join(names, " "); got != "a b" {
		t.Errorf("got %q", got)
	}
}

// TestGlobalsOfLua checks which globals a Lua file may use.
func TestGlobalsOfLua(t *testing.T) {
	const head = "local ci = require('quire.ci') ci.job('a', {'quire/push'}, print) "
	for _, good := range []string{
		"x = 1 print(x)", "function f() return f end f()", "local function f() y = 1 end print(y)", "print(_G.z)", "local t = {} t.x = t.y",
	} {
		load(t, files(Lua, head+good))
	}
}

func TestByteOrderMark(t *testing.T) {
	const mark = "\ufeff"
	load(t, files(Fennel, mark+"(local ci (require :quire.ci)) (require :m) (ci.job :a [:quire/push] #nil)", Dir+"/m.lua", mark+"return 1"))
	load(t, files(Lua, mark+"local ci = require('quire.ci') ci.job('a', {'quire/push'}, print)"))
}
