package fennel_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"quire/lib/fennel"
)

// A reference is a copy of the reference compiler, which is no part of this
// project: FENNEL_REFERENCE names its fennel.lua, FENNEL_LUA the Lua to run it
// and what it compiles.
type reference struct {
	compiler, lua, version string
}

// findReference skips the test where there is no reference compiler.
func findReference(t *testing.T) reference {
	t.Helper()
	compiler := os.Getenv("FENNEL_REFERENCE")
	if compiler == "" {
		t.Skip("no reference compiler: FENNEL_REFERENCE does not name a fennel.lua")
	}
	compiler, err := filepath.Abs(compiler)
	if err != nil {
		t.Fatal(err)
	}
	r := reference{compiler: compiler, lua: cmp.Or(os.Getenv("FENNEL_LUA"), "lua5.1")}
	out, err := exec.Command(r.lua, "-e", fmt.Sprintf("io.write(dofile(%q).version, ' on ', _VERSION)", compiler)).CombinedOutput()
	if err != nil {
		t.Fatalf("cannot run %s with %s: %v: %s", compiler, r.lua, err, out)
	}
	r.version = string(out)
	t.Logf("reference: Fennel %s", r.version)
	return r
}

// scriptTimeout bounds a reference that does not come back.
const scriptTimeout = 4 * time.Minute

// A program is one source to be compiled by both compilers.
type program struct {
	name    string
	source  string
	globals []string // nil: any
	files   map[string]string
}

// A verdict is what became of a program: its Lua and what that did, or the
// compiler's error, as "!! LINE:COLUMN message".
type verdict struct {
	lua    string
	refuse string
	result string // a line of run.lua; empty until run
}

// compile has the reference compile all programs, below dir.
func (r reference) compile(t *testing.T, dir string, programs []program) []verdict {
	t.Helper()
	var list strings.Builder
	sources := make([]string, len(programs))
	for i, p := range programs {
		sources[i] = filepath.Join(dir, fmt.Sprintf("%06d", i), caseFile)
		for name, text := range p.files {
			writeFile(t, filepath.Join(filepath.Dir(sources[i]), name), text)
		}
		writeFile(t, sources[i], p.source)
		globals := "-"
		if p.globals != nil {
			globals = strings.Join(p.globals, " ")
		}
		fmt.Fprintf(&list, "%s\t%s\t%s\n", sources[i], caseFile, globals)
	}
	r.script(t, dir, "reference.lua", r.compiler, list.String())
	verdicts := make([]verdict, len(programs))
	for i, source := range sources {
		if text, err := os.ReadFile(source + ".lua"); err == nil {
			verdicts[i].lua = string(text)
		} else if text, err := os.ReadFile(source + ".err"); err == nil {
			verdicts[i].refuse = string(text)
		} else {
			t.Fatalf("the reference says nothing of %s", programs[i].name)
		}
	}
	return verdicts
}

// run runs all that compiled, on the reference's Lua, below dir.
func (r reference) run(t *testing.T, dir string, verdicts []verdict) {
	t.Helper()
	var list strings.Builder
	path := func(i int) string { return filepath.Join(dir, fmt.Sprintf("%06d.lua", i)) }
	for i, v := range verdicts {
		if v.refuse == "" {
			writeFile(t, path(i), v.lua)
			fmt.Fprintln(&list, path(i))
		}
	}
	r.script(t, dir, "batch.lua", "testdata/conformance/run.lua", list.String())
	for i := range verdicts {
		if verdicts[i].refuse == "" {
			text, err := os.ReadFile(path(i) + ".out")
			if err != nil {
				t.Fatal(err)
			}
			verdicts[i].result = strings.TrimSpace(string(text))
		}
	}
}

// script runs one of the Lua files of testdata/conformance over a list.
func (r reference) script(t *testing.T, dir, script, first, list string) {
	t.Helper()
	file := filepath.Join(dir, script+".list")
	writeFile(t, file, list)
	ctx, cancel := context.WithTimeout(t.Context(), scriptTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, r.lua, filepath.Join("testdata/conformance", script), first, file)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", r.lua, script, err, out)
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// compileOurs compiles all programs with this package.
func compileOurs(programs []program) []verdict {
	verdicts := make([]verdict, len(programs))
	for i, p := range programs {
		c := conformanceCase{Files: p.files}
		text, err := fennel.Compile([]byte(p.source), fennel.Options{File: caseFile, Globals: p.globals, Macros: c.module})
		verdicts[i].lua = text
		if err != nil {
			verdicts[i] = verdict{refuse: compileError(err)[0]}
		}
	}
	return verdicts
}

// anyColumn finds the column of an expected error, which is ours to choose: the
// reference points now at a token's start, now behind it, now at the whole form.
var anyColumn = regexp.MustCompile(`^(!! \d+):\d+ `)

// TestConformanceReference holds the expectations of the hand-written cases
// against the reference compiler. Where it is no authority the case says so.
func TestConformanceReference(t *testing.T) {
	r := findReference(t)
	cases := slices.DeleteFunc(conformanceCases(t), func(c conformanceCase) bool { return c.Endless })
	programs := make([]program, len(cases))
	for i, c := range cases {
		programs[i] = program{name: c.Name, source: c.Source, globals: c.options().Globals, files: c.Files}
	}
	verdicts := r.compile(t, t.TempDir(), programs)
	r.run(t, t.TempDir(), verdicts)
	confirmed, otherwise := 0, 0
	for i, c := range cases {
		want := []string{anyColumn.ReplaceAllString(c.Want[0], "$1 ")}
		got := []string{cmp.Or(verdicts[i].refuse, verdicts[i].result)}
		diff := gocmp.Diff(want, agree(want, got))
		switch {
		case c.Differs != "":
			otherwise++
			if diff == "" {
				t.Logf("%s/%s: the reference agrees, though the case says: %s", c.Topic, c.Name, c.Differs)
			}
		case diff != "":
			t.Errorf("%s.txt:%d: %s: -want +reference:\n%s", c.Topic, c.Line, c.Name, diff)
		default:
			confirmed++
		}
	}
	t.Logf("%d cases: %d confirmed, %d decided otherwise", len(cases), confirmed, otherwise)
}
