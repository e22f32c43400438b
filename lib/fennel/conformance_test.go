package fennel_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	lua "github.com/yuin/gopher-lua"

	"quire/lib/diag"
	"quire/lib/fennel"
	"quire/lib/vm"
)

// caseFile is the file name of each case for the compiler.
const caseFile = "case.fnl"

// caseTimeout bounds one case, so that an endless loop because of a miscompiled condition
// fails that case and not the whole test.
const caseTimeout = 10 * time.Second

// knownGlobals are globals that a case with @strict may use, besides those that it lists.
var knownGlobals = strings.Fields(`_G _VERSION assert coroutine error getmetatable ipairs math next note os
	package pairs pcall print rawequal rawget rawset require select setmetatable string table tonumber
	tostring type unpack xpcall`)

// A conformanceCase is one block of a file in testdata/conformance; README.md
// there describes the format.
type conformanceCase struct {
	Topic, Name string
	Line        int // of the title in its file
	Source      string
	Strict      bool
	Globals     []string          // listed after @strict
	Differs     string            // why the result may differ from the reference compiler's
	Endless     bool              // the reference compiler would never end
	Files       map[string]string // the modules of the case
	Want        []string          // the directive lines "->", "!!" and "!>"
}

// options returns the compiler's options for the case.
func (c conformanceCase) options() fennel.Options {
	o := fennel.Options{File: caseFile, Macros: c.module, Limits: vm.Limits{Time: time.Second, Memory: 64 << 20}}
	if c.Strict {
		o.Globals = append(slices.Clone(knownGlobals), c.Globals...)
	}
	return o
}

// module finds a module among the files of the case, with the default search path of the
// reference compiler.
func (c conformanceCase) module(name string) (string, []byte, error) {
	path := strings.ReplaceAll(name, ".", "/")
	for _, suffix := range []string{".fnlm", "/init.fnlm", ".fnl", "/init-macros.fnl", "/init.fnl", ".lua"} {
		if text, ok := c.Files[path+suffix]; ok {
			return path + suffix, []byte(text), nil
		}
	}
	return "", nil, fmt.Errorf("module %q: %w", name, fs.ErrNotExist)
}

// conformanceCases reads every case file.
func conformanceCases(t testing.TB) []conformanceCase {
	t.Helper()
	files, err := filepath.Glob("testdata/conformance/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []conformanceCase
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		cases, err := parseCases(strings.TrimSuffix(filepath.Base(file), ".txt"), string(text))
		if err != nil {
			t.Fatalf("%s:%v", file, err)
		}
		all = append(all, cases...)
	}
	if len(all) == 0 {
		t.Fatal("no conformance cases in testdata/conformance")
	}
	return all
}

// caseParser is the state of parseCases.
type caseParser struct {
	cases  []conformanceCase
	module string // from "@file": the current file; "" for the source
	quoted bool
}

// parseCases reads one case file; an error begins with the line it is about.
func parseCases(topic, text string) ([]conformanceCase, error) {
	var p caseParser
	seen := map[string]bool{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		if title, ok := strings.CutPrefix(line, "== "); ok {
			name := strings.TrimSpace(title)
			if seen[name] {
				return nil, fmt.Errorf("%d: a second case named %q", n, name)
			}
			seen[name] = true
			p.cases = append(p.cases, conformanceCase{Topic: topic, Name: name, Line: n, Files: map[string]string{}})
			p.module, p.quoted = "", false
			continue
		}
		if len(p.cases) == 0 {
			continue // text before the first title is for human readers
		}
		if err := p.line(&p.cases[len(p.cases)-1], line); err != nil {
			return nil, fmt.Errorf("%d: %w", n, err)
		}
	}
	for _, c := range p.cases {
		if len(c.Want) == 0 {
			return nil, fmt.Errorf("%d: the case %q expects nothing", c.Line, c.Name)
		}
	}
	return p.cases, nil
}

// line parses one line of a case after its title.
func (p *caseParser) line(c *conformanceCase, line string) error {
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch word {
	case "->", "!!", "!>":
		c.Want = append(c.Want, strings.TrimSpace(line))
	case "@strict":
		c.Strict, c.Globals = true, strings.Fields(rest)
	case "@differs":
		c.Differs = rest
	case "@file":
		p.module = rest
		c.Files[rest] = ""
	case "@endless":
		c.Endless = true
	case "@quoted":
		p.quoted = true
	default:
		return p.text(c, line)
	}
	return nil
}

// text parses a line of the source or of the current module. The blank lines between two
// cases belong to neither.
func (p *caseParser) text(c *conformanceCase, line string) error {
	if strings.HasPrefix(line, "@") {
		return fmt.Errorf("unknown directive %q", strings.TrimSpace(line))
	}
	if len(c.Want) > 0 {
		if strings.TrimSpace(line) != "" {
			return fmt.Errorf("source after the expectation: %q", strings.TrimSpace(line))
		}
		return nil
	}
	if p.quoted {
		s, err := strconv.Unquote(strings.TrimSpace(line))
		if err != nil {
			return fmt.Errorf("after @quoted each line is a Go string: %w", err)
		}
		line = s
	}
	if p.module != "" {
		c.Files[p.module] += line
		return nil
	}
	c.Source += line
	return nil
}

// runCase runs a compiled case on a fresh VM and returns the line of run.lua for it.
func runCase(ctx context.Context, t testing.TB, text string) string {
	t.Helper()
	v := vm.New(vm.Limits{})
	defer v.Close()
	giveLoader(v)
	script, err := os.ReadFile("testdata/conformance/run.lua")
	if err != nil {
		t.Fatal(err)
	}
	main, err := v.Load(string(script), "run.lua")
	if err != nil {
		t.Fatal(err)
	}
	made, err := v.Call(ctx, main)
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.Call(ctx, made[0].(*lua.LFunction), lua.LString(text), lua.LString(caseFile))
	if err != nil {
		return "!> " + strings.ReplaceAll(err.Error(), "\n", " ")
	}
	return got[0].String()
}

// giveLoader adds loadstring and setfenv, which a VM lacks, for run.lua.
func giveLoader(v *vm.VM) {
	l := v.State()
	l.SetGlobal("loadstring", l.NewFunction(func(l *lua.LState) int {
		fn, err := v.Load(l.CheckString(1), l.CheckString(2))
		if err != nil {
			l.Push(lua.LNil)
			l.Push(lua.LString(err.Error()))
			return 2
		}
		l.Push(fn)
		return 1
	}))
	l.SetGlobal("setfenv", l.NewFunction(func(l *lua.LState) int {
		l.CheckFunction(1).Env = l.CheckTable(2)
		l.SetTop(1)
		return 1
	}))
}

// compileError returns the "!!" lines of a compiler's error.
func compileError(err error) []string {
	var list diag.List
	if !errors.As(err, &list) {
		return []string{"!! " + err.Error()}
	}
	var lines []string
	for _, d := range list {
		lines = append(lines, fmt.Sprintf("!! %d:%d %s", d.Line, d.Column, d.Message))
	}
	return lines
}

// runtimeLine matches the position that Lua puts before a message.
var runtimeLine = regexp.MustCompile(`^!> (?:\[string ")?` + regexp.QuoteMeta(caseFile) + `(?:"\])?:(\d+): `)

// agree replaces each line of got by the line of want that it satisfies, so that only real
// differences remain. want may name an error by a part of its message, with or without its
// position.
func agree(want, got []string) []string {
	got = slices.Clone(got)
	for i := range got {
		if i < len(want) && satisfies(want[i], got[i]) {
			got[i] = want[i]
		}
	}
	return got
}

func satisfies(want, got string) bool {
	mark, rest, _ := strings.Cut(want, " ")
	if !strings.HasPrefix(got, mark) || mark == "->" {
		return want == got
	}
	position, fragment, _ := strings.Cut(rest, " ")
	if position == "" || position[0] < '0' || position[0] > '9' {
		return strings.Contains(strings.ToLower(got), strings.ToLower(rest))
	}
	if !strings.Contains(strings.ToLower(got), strings.ToLower(fragment)) {
		return false
	}
	if mark == "!!" {
		return strings.HasPrefix(got, "!! "+position+" ") || !strings.Contains(position, ":") && strings.HasPrefix(got, "!! "+position+":")
	}
	m := runtimeLine.FindStringSubmatch(got)
	return m != nil && m[1] == position
}

// TestConformance compiles and runs every hand-written case.
func TestConformance(t *testing.T) {
	for _, c := range conformanceCases(t) {
		t.Run(c.Topic+"/"+c.Name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), caseTimeout)
			defer cancel()
			program, err := fennel.Compile([]byte(c.Source), c.options())
			var text string
			var got []string
			if err != nil {
				got = compileError(err)
			} else {
				text = program.Lua
				got = []string{strings.TrimSpace(runCase(ctx, t, text))}
			}
			if diff := cmp.Diff(c.Want, agree(c.Want, got)); diff != "" {
				t.Errorf("%s.txt:%d: got %q; -want +got:\n%s\nsource:\n%s\nlua:\n%s", c.Topic, c.Line, got, diff, c.Source, text)
			}
		})
	}
}

// TestConformanceParser pins the format of the case files.
func TestConformanceParser(t *testing.T) {
	got, err := parseCases("t", "for the reader\n\n== one\n@strict a b\n(f)\n-> 1\n\n"+
		"== two\n@quoted\n\"x\\r\\n\"\n@differs because\n@file m.fnl\n\"{}\"\n!! 1:2 no\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []conformanceCase{
		{Topic: "t", Name: "one", Line: 3, Source: "(f)\n", Strict: true, Globals: []string{"a", "b"},
			Files: map[string]string{}, Want: []string{"-> 1"}},
		{Topic: "t", Name: "two", Line: 8, Source: "x\r\n", Differs: "because",
			Files: map[string]string{"m.fnl": "{}"}, Want: []string{"!! 1:2 no"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"== a\n1\n", "== a\n1\n-> 1\n2\n", "== a\n@what\n-> 1\n", "== a\n1\n-> 1\n== a\n1\n-> 1\n"} {
		if _, err := parseCases("t", bad); err == nil {
			t.Errorf("parseCases(%q): no error", bad)
		}
	}
}
