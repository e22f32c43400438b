package pipeline

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	lua "github.com/yuin/gopher-lua"

	"quire/lib/diag"
	"quire/lib/vm"
)

var update = flag.Bool("update", false, "write the golden files")

// files makes a tree of names and texts.
func files(pairs ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		fsys[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1]), Mode: 0o644}
	}
	return fsys
}

// load loads a pipeline that must be correct.
func load(t testing.TB, fsys Files) *Pipeline {
	t.Helper()
	p, err := Load(context.Background(), fsys, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

var ignoreFunctions = cmp.Options{
	cmpopts.IgnoreFields(Job{}, "Fn", "File", "Line", "Column"),
	cmpopts.IgnoreFields(Mirror{}, "Tag"),
}

func TestLoad(t *testing.T) {
	want := []*Job{
		{ID: "build", Inputs: []string{Push}},
		{ID: "test", Inputs: []string{"build", Push}, Options: JobOptions{
			Timeout: 90 * time.Second, Retry: 2, AllowFailure: true, AllowSkipped: true, Always: true,
			When: When{Branch: []string{"main"}, Tag: []string{"v*", "w*"}, Paths: []string{"src/**"}, Trigger: []string{"schedule"}},
		}},
		{ID: "lint", Inputs: []string{Push}},
		{ID: MirrorID, Inputs: []string{"test", "lint"}, Mirror: &Mirror{
			URL: "https://example.org/x.git", Secret: "token", Refs: []string{"refs/heads/main"},
		}},
	}
	for name, text := range map[string]string{
		Fennel: `(local ci (require :quire.ci))
(ci.image "debian:12")
(ci.mirror "https://example.org/x.git" {:secret :token :tag #(.. "v" $.sha) :refs [:refs/heads/main] :after [:test :lint]})
(ci.job :test [:build :quire/push :build]
  (fn [{: sh}] (sh "make test"))
  {:timeout "90s" :retry 2 :allow-failure true :allow-skipped true :always true :when {:branch :main :tag [:v* :w*] :paths ["src/**"] :trigger :schedule}})
(ci.job :build [:quire/push] #nil)
(ci.job :lint [:quire/push] #nil)
`,
		Lua: `local ci = require("quire.ci")
ci.image("debian:12")
ci.mirror("https://example.org/x.git", {secret = "token", tag = function(p) return "v" .. p.sha end, refs = {"refs/heads/main"}, after = {"test", "lint"}})
ci.job("test", {"build", "quire/push", "build"}, function(q) q.sh("make test") end,
  {timeout = 90, retry = 2, ["allow-failure"] = true, ["allow-skipped"] = true, always = true, when = {branch = "main", tag = {"v*", "w*"}, paths = {"src/**"}, trigger = "schedule"}})
ci.job("build", {"quire/push"}, function() end)
ci.job("lint", {"quire/push"}, function() end)
`,
	} {
		t.Run(name, func(t *testing.T) {
			p := load(t, files(name, text))
			if diff := cmp.Diff(want, p.Jobs, ignoreFunctions); diff != "" {
				t.Error(diff)
			}
			if p.Image != "debian:12" || p.File != name {
				t.Errorf("got image %q, file %q", p.Image, p.File)
			}
			if p.Jobs[3].Mirror.Tag == nil || p.Jobs[0].Fn == nil {
				t.Error("a function is missing")
			}
			if j := p.Jobs[1]; j.File != name || j.Line != 4 || j.Column != 1 {
				t.Errorf("test is at %s:%d:%d", j.File, j.Line, j.Column)
			}
		})
	}
}

// TestOrder checks that ties keep the order of definition.
func TestOrder(t *testing.T) {
	p := load(t, files(Fennel, `(local {: job} (require :quire.ci))
(each [_ [id inputs] (ipairs [[:d [:b :c]] [:z [:quire/push]] [:b [:a]] [:c [:a]] [:a [:quire/push]] [:e [:quire/push]]])]
  (job id inputs #nil))`))
	var got []string
	for _, j := range p.Jobs {
		got = append(got, j.ID)
	}
	if diff := cmp.Diff(strings.Fields("z a b c d e"), got); diff != "" {
		t.Error(diff)
	}
}

// TestDiagnostics loads each pipeline of testdata and compares the pusher's messages with
// the golden file beside it.
func TestDiagnostics(t *testing.T) {
	pipelines, err := filepath.Glob("testdata/*.fnl")
	if err != nil {
		t.Fatal(err)
	}
	more, _ := filepath.Glob("testdata/*.lua")
	if pipelines = append(pipelines, more...); len(pipelines) == 0 {
		t.Fatal("no testdata")
	}
	for _, path := range pipelines {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Load(context.Background(), files(Dir+"/ci"+filepath.Ext(path), string(text)), Options{})
			var list diag.List
			if !errors.As(err, &list) {
				t.Fatalf("want diagnostics, got %v", err)
			}
			golden := path + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(list.Text()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), list.Text()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

const someJob = `(local ci (require :quire.ci)) (ci.job :a [:quire/push] #nil)`

// TestFiles checks odd files in the place of a pipeline.
func TestFiles(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "ci.fnl"), []byte(someJob), 0o644); err != nil {
		t.Fatal(err)
	}
	link := func(name, to string) Files {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		return os.DirFS(dir).(Files)
	}
	for _, test := range []struct {
		name string
		fsys Files
		want string
	}{
		{"none", files("README", ""), ErrNone.Error()},
		{"both", files(Fennel, someJob, Lua, ""), ".quire/ci.fnl: '.quire/ci.fnl' and '.quire/ci.lua' both exist"},
		{"empty", files(Fennel, ""), ".quire/ci.fnl:1:1: pipeline defines no job"},
		{"empty Lua", files(Lua, "\n"), ".quire/ci.lua:1:1: pipeline defines no job"},
		{"binary", files(Fennel, "abc\né\x00"), ".quire/ci.fnl:2:2: is a binary file: it holds a zero byte"},
		{"large", files(Fennel, strings.Repeat(someJob+"\n", 100_000)), ".quire/ci.fnl: is larger than 1024 KiB"},
		{"directory", files(Fennel+"/x", ""), ".quire/ci.fnl: is not a regular file"},
		{"symbolic link", link(Fennel, filepath.Join(outside, "ci.fnl")), ".quire/ci.fnl: is not a regular file"},
		{"linked directory", link(Dir, outside), ErrNone.Error()},
		{"file for a directory", files(Dir, ""), ErrNone.Error()},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Load(context.Background(), test.fsys, Options{})
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestModules(t *testing.T) {
	main := `(local ci (require :quire.ci))
(import-macros {: define} :macros)
(local names (require :lib.names))
(define ci (. names 1))
(ci.job (require :second) [(. names 1)] #nil)`
	fsys := files(Fennel, main,
		".quire/macros.fnl", "{:define (fn [ci id] `(,(sym (.. (tostring ci) :.job)) ,id [:quire/push] (fn [])))}",
		".quire/lib/names/init.fnl", `[:first]`,
		".quire/second.lua", `return "second"`,
		"second.fnl", `:wrong`)
	p := load(t, fsys)
	if got := p.Jobs[0].ID + " " + p.Jobs[1].ID; got != "first second" {
		t.Error(got)
	}
	for _, test := range []struct{ name, module, text, want string }{
		{"missing", "x", "", ".quire/ci.fnl:1:1: module 'x' not found: no '.quire/x.fnl', no '.quire/x.lua', no '.quire/x/init.fnl', no '.quire/x/init.lua'"},
		{"outside", "../x", "", ".quire/ci.fnl:1:1: module '../x' not found: no file can have the name '.quire////x.fnl'"},
		{"does not compile", "x", "\n(foo", ".quire/x.fnl:2:5: expected closing delimiter )"},
		{"raises", "x", "\n(error :no)", ".quire/x.fnl:2:1: no"},
	} {
		t.Run(test.name, func(t *testing.T) {
			fsys := files(Fennel, fmt.Sprintf("(require %q)", test.module))
			if test.text != "" {
				fsys[".quire/x.fnl"] = &fstest.MapFile{Data: []byte(test.text)}
			}
			if _, err := Load(context.Background(), fsys, Options{}); err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

// TestIncludedPositions checks that an error of an included module has its position there, and
// a later error its position in the including file.
func TestIncludedPositions(t *testing.T) {
	modules := []string{
		".quire/a.fnl", "(local n 1)\n(macro nothing [] `(. nil\n  :x))\n(fn fails []\n  (let [x nil]\n    (+ n\n       x)))\n\n(fn fails-in-macro [] (nothing))\n{: fails : fails-in-macro}",
		".quire/b.lua", "local t = { -- [[ text\n  s = [[a\nb]] }\nfunction t.fails()\n  return t.s.x.y -- the end\nend\nreturn t -- end",
		".quire/c.fnl", "(local a (include :a))\n\n(fn outer []\n  (+ 1 (a.fails)))\n{: outer}",
		".quire/broken.lua", "\n\nlocal = 1",
		".quire/raises.fnl", "\n\n(error :no)",
	}
	for _, test := range []struct{ name, text, want string }{
		{"fennel", "(local a (include :a))\n\n(a.fails)", ".quire/a.fnl:6:"},
		{"in a macro of it", "(local a (include :a))\n\n(a.fails-in-macro)", ".quire/a.fnl:9:"},
		{"lua", "(local x 1) (local b (include :b))\n(b.fails)", ".quire/b.lua:5:"},
		{"module in a module", "\n(local c (include :c)) (c.outer)", ".quire/a.fnl:6:"},
		{"behind it", "(local a (include :a))\n(local b (include :b))\n(fn f []\n  (+ a.n 1))\n(f)", ".quire/ci.fnl:4:"},
		{"on its line", "(local a (include :a)) (let [x nil] x.y)", ".quire/ci.fnl:1:"},
		{"at its top", "(local x\n  (include :raises))", ".quire/raises.fnl:3:"},
		{"lua that is none", "(local x 1)\n(include :broken)", ".quire/broken.lua:3:"},
		{"in a function that includes", "(fn f []\n  (include :b)\n  (let [x nil]\n    x.y))\n(f)", ".quire/ci.fnl:4:"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Load(context.Background(), files(append([]string{Fennel, test.text}, modules...)...), Options{})
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

// TestAttacks checks that an endless or greedy top level gets a diagnostic.
func TestAttacks(t *testing.T) {
	limits := vm.Limits{Time: 100 * time.Millisecond, Memory: 32 << 20}
	patient := vm.Limits{Time: 20 * time.Second, Memory: 256 << 20}
	for _, test := range []struct {
		text   string
		limits vm.Limits
		want   string
	}{
		{"\n(while true nil)", limits, ".quire/ci.fnl:2:1: ran longer than 100ms"},
		{"(local t [])\n(while true\n  (table.insert t {}))", vm.Limits{Time: time.Minute, Memory: 32 << 20}, "used more than 32 MiB"},
		{"(fn f [] (+ 1 (f)))\n(f)", patient, ".quire/ci.fnl:1:1: recursed too deep"},
		{"(local ci (require :quire.ci))\n(while true (ci.job :a [:quire/push] #nil))", patient, ".quire/ci.fnl:2:1: pipeline calls ci more than 1000 times"},
		{"(local ci (require :quire.ci))\n(ci.job :a (fcollect [i 1 1000000] i) #nil)", patient, ".quire/ci.fnl:2:12: inputs of job 'a' are more than 1000"},
	} {
		_, err := Load(context.Background(), files(Fennel, test.text), Options{Limits: test.limits})
		if err == nil || !strings.HasSuffix(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.text, err, test.want)
		}
	}
}

// TestIndirectCalls checks that errors name the line in the pipeline, whatever is in
// between.
func TestIndirectCalls(t *testing.T) {
	for _, call := range []string{
		"(pcall ci.job 5)", "((coroutine.wrap ci.job) 5)", "((fn [f] (f 5)) ci.job)", "(string.gsub :x :x #(ci.job 5))",
		"(setmetatable {} {:__index #(ci.job 5)})",
	} {
		text := "(local ci (require :quire.ci))\n(local t " + call + ")\n(local x (?. t :y))"
		_, err := Load(context.Background(), files(Fennel, text), Options{})
		if err == nil || !strings.HasPrefix(err.Error(), ".quire/ci.fnl:2:") {
			t.Errorf("%s: got %v", call, err)
		}
	}
}

// TestManyProblems checks that the diagnostics stay few enough to read.
func TestManyProblems(t *testing.T) {
	const lua = "local ci = require('quire.ci')\nci.job('a', {'quire/push'}, function()\n"
	for _, test := range []struct{ file, text string }{
		{Fennel, "(local ci (require :quire.ci))\n(for [i 1 500] (ci.job i [:quire/push] #nil))"},
		{Lua, lua + strings.Repeat("x() x()\n", 500) + "end)"},
		{Lua, lua + strings.Repeat("x() y() ", 250) + strings.Repeat("\nx() y()", 249) + " end)"},
	} {
		_, err := Load(context.Background(), files(test.file, test.text), Options{})
		lines := strings.Split(err.Error(), "\n")
		if len(lines) != maxProblems+1 || lines[maxProblems] != test.file+": there are 400 more errors" {
			t.Errorf("%.80s: got %d lines, the last '%s'", test.text, len(lines), lines[len(lines)-1])
		}
	}
}

// TestCallFromJob calls ci.job too late.
func TestCallFromJob(t *testing.T) {
	p := load(t, files(Fennel, "(local ci (require :quire.ci))\n(ci.job :a [:quire/push]\n  (fn []\n    (ci.job :b [:a] #nil)))"))
	_, err := p.VM.Call(context.Background(), p.Jobs[0].Fn)
	if want := ".quire/ci.fnl:4: ci.job can only be called at the top level of the pipeline, not by a job"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestPrint(t *testing.T) {
	var lines []string
	p, err := Load(context.Background(), files(Fennel, someJob+` (print "a" 1)`), Options{Log: func(s string) { lines = append(lines, s) }})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if diff := cmp.Diff([]string{"a\t1"}, lines); diff != "" {
		t.Error(diff)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Load(ctx, files(Fennel, someJob), Options{})
	if !errors.Is(err, context.Canceled) || errors.As(err, new(diag.List)) {
		t.Errorf("got %v", err)
	}
}

// TestMirrorTag calls the function of ci.mirror as the executor does.
func TestMirrorTag(t *testing.T) {
	p := load(t, files(Fennel, `(local ci (require :quire.ci)) (ci.mirror "u" {:tag (fn [p] (.. "v" p.n))})`))
	push := p.VM.State().NewTable()
	push.RawSetString("n", lua.LString("1"))
	got, err := p.VM.Call(context.Background(), p.Jobs[0].Mirror.Tag, push)
	if err != nil || got[0] != lua.LString("v1") {
		t.Error(got, err)
	}
}

// FuzzLoad checks that any text gives a pipeline, or diagnostics with a position.
func FuzzLoad(f *testing.F) {
	seeds, _ := filepath.Glob("testdata/*.[fl][nu][la]")
	for _, path := range seeds {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), filepath.Ext(path) == ".fnl")
	}
	limits := vm.Limits{Time: 50 * time.Millisecond, Memory: 64 << 20}
	f.Fuzz(func(t *testing.T, text string, isFennel bool) {
		name := Lua
		if isFennel {
			name = Fennel
		}
		p, err := Load(context.Background(), files(name, text), Options{Limits: limits})
		var list diag.List
		switch {
		case err == nil:
			p.Close()
		case !errors.As(err, &list) || len(list) == 0:
			t.Fatal(err)
		}
		for _, d := range list {
			if d.File == "" || strings.ContainsAny(d.Error(), "\n\r\x1b") || strings.Contains(d.Message, "runtime error") {
				t.Errorf("%#v", d)
			}
		}
	})
}

// BenchmarkLoad loads a pipeline of 25 lines.
func BenchmarkLoad(b *testing.B) {
	text, err := os.ReadFile("testdata/bench/25.fnl")
	if err != nil {
		b.Fatal(err)
	}
	fsys := files(Fennel, string(text))
	for b.Loop() {
		p, err := Load(context.Background(), fsys, Options{})
		if err != nil {
			b.Fatal(err)
		}
		p.Close()
	}
}
