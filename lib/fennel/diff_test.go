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
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"quire/lib/fennel"
)

// A reference is a copy of the reference compiler, which is not part of this project:
// FENNEL_REFERENCE names its fennel.lua, FENNEL_LUA the Lua that runs it and the code that
// it compiles.
type reference struct {
	compiler, lua, version string
}

// findReference skips the test if the reference compiler is missing.
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

// scriptTimeout bounds a reference compiler that does not end.
const scriptTimeout = 5 * time.Minute

// A program is one source for both compilers.
type program struct {
	name    string
	source  string
	globals []string // nil: any
	files   map[string]string
	roots   []string // directories of modules; none: the source's directory
}

// A verdict is the result for a program: its Lua and the output of that, or the compiler's
// error as "!! LINE:COLUMN message".
type verdict struct {
	lua    string
	refuse string
	result string // a line of run.lua; "" until the program ran
}

// compile compiles all programs with the reference compiler, below dir.
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
		roots := cmp.Or(strings.Join(p.roots, ":"), filepath.Dir(sources[i]))
		fmt.Fprintf(&list, "%s\t%s\t%s\t%s\n", sources[i], caseFile, globals, roots)
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

// run runs all programs that compiled on the reference's Lua, below dir. run.lua describes
// the mode "lenient".
func (r reference) run(t *testing.T, dir string, verdicts []verdict, mode ...string) {
	t.Helper()
	var list strings.Builder
	path := func(i int) string { return filepath.Join(dir, fmt.Sprintf("%06d.lua", i)) }
	for i, v := range verdicts {
		if v.refuse == "" {
			writeFile(t, path(i), v.lua)
			fmt.Fprintln(&list, path(i))
		}
	}
	r.script(t, dir, "batch.lua", "testdata/conformance/run.lua", list.String(), mode...)
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
func (r reference) script(t *testing.T, dir, script, first, list string, more ...string) {
	t.Helper()
	file := filepath.Join(dir, script+".list")
	writeFile(t, file, list)
	ctx, cancel := context.WithTimeout(t.Context(), scriptTimeout)
	defer cancel()
	args := append([]string{filepath.Join("testdata/conformance", script), first, file}, more...)
	cmd := exec.CommandContext(ctx, r.lua, args...)
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
func compileOurs(t *testing.T, programs []program) []verdict {
	verdicts := make([]verdict, len(programs))
	for i, p := range programs {
		find := conformanceCase{Files: p.files}.module
		if p.roots != nil {
			find = modulesBelow(p.roots)
		}
		ours, err := fennel.Compile([]byte(p.source), fennel.Options{File: caseFile, Globals: p.globals, Macros: find})
		if err != nil {
			verdicts[i] = verdict{refuse: compileError(err)[0]}
			continue
		}
		verdicts[i].lua = ours.Lua
	}
	return verdicts
}

// position matches the position of an expected error. Columns are not compared: the reference
// compiler points to a token's start, to its end, or to the whole form; in code from a macro
// it reports no position.
var position = regexp.MustCompile(`^!! (\d+)(?::\d+)? `)

// failed matches the line of an expected run-time error.
var failed = regexp.MustCompile(`^!> \d+ ?`)

// TestConformanceReference compares the expectations of the hand-written cases with the
// reference compiler, except in cases that say that they differ.
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
		want, got := []string{c.Want[0]}, []string{cmp.Or(verdicts[i].refuse, verdicts[i].result)}
		if strings.HasPrefix(got[0], "!! ? ") {
			want[0] = position.ReplaceAllString(want[0], "!! ")
		} else {
			want[0] = position.ReplaceAllString(want[0], "!! $1 ")
		}
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

// TestConformanceLua runs the hand-written cases on a Lua in C, which refuses
// some programs that gopher-lua loads.
func TestConformanceLua(t *testing.T) {
	r := reference{lua: os.Getenv("FENNEL_LUA")}
	if r.lua == "" {
		t.Skip("no Lua: FENNEL_LUA names none")
	}
	var verdicts []verdict
	var cases []conformanceCase
	for _, c := range conformanceCases(t) {
		if program, err := fennel.Compile([]byte(c.Source), c.options()); err == nil {
			verdicts, cases = append(verdicts, verdict{lua: program.Lua}), append(cases, c)
		}
	}
	r.run(t, t.TempDir(), verdicts)
	for i, c := range cases {
		// Implementations of Lua name different lines of a long expression.
		want, got := []string{failed.ReplaceAllString(c.Want[0], "!> ")}, []string{verdicts[i].result}
		if diff := gocmp.Diff(want, agree(want, got)); diff != "" {
			t.Errorf("%s.txt:%d: %s: -want +got:\n%s\nlua:\n%s", c.Topic, c.Line, c.Name, diff, verdicts[i].lua)
		}
	}
	t.Logf("%d cases run on %s", len(cases), r.lua)
}

// TestDifferentialPrograms compiles generated programs with both compilers, and runs the
// results of both on the same Lua. FENNEL_PROGRAMS is their number, FENNEL_SEED the first
// seed.
func TestDifferentialPrograms(t *testing.T) {
	r := findReference(t)
	first, count := envNumber(t, "FENNEL_SEED", 1), envNumber(t, "FENNEL_PROGRAMS", 500)
	programs := make([][]string, count)
	for i := range programs {
		programs[i] = generate(uint64(first + i))
	}
	tally := map[string]int{}
	for i, outcome := range r.compare(t, programs) {
		tally[outcome.what]++
		if outcome.different() {
			if tally["shown"]++; tally["shown"] <= 10 {
				forms, smaller := r.shrink(t, programs[i], outcome)
				t.Errorf("program %d: %s\n%s\nreference: %s\nquire:     %s\nlua of quire:\n%s", first+i, smaller.what,
					strings.Join(forms, "\n"), smaller.reference, smaller.ours, smaller.lua)
			}
		}
	}
	t.Logf("%d programs: %v", count, tally)
}

func envNumber(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// An outcome is the result of comparing the two compilers on one program.
type outcome struct {
	what            string
	reference, ours string // results or refusals
	lua             string // ours
}

// different reports whether the outcome needs an explanation. Notes in another order do
// not: the language does not define the order if an operand needs statements.
func (o outcome) different() bool {
	return strings.HasPrefix(o.what, "different") || strings.HasPrefix(o.what, "only")
}

// compare compiles and runs all programs with both compilers.
func (r reference) compare(t *testing.T, programs [][]string) []outcome {
	t.Helper()
	list := make([]program, len(programs))
	for i, forms := range programs {
		list[i] = program{name: strconv.Itoa(i), source: strings.Join(forms, "\n") + "\n"}
	}
	theirs, ours := r.compile(t, t.TempDir(), list), compileOurs(t, list)
	r.run(t, t.TempDir(), theirs)
	r.run(t, t.TempDir(), ours)
	outcomes := make([]outcome, len(list))
	for i := range list {
		outcomes[i] = judge(theirs[i], ours[i])
	}
	return outcomes
}

// judge compares the results of the two compilers for one program.
func judge(theirs, ours verdict) outcome {
	o := outcome{
		reference: cmp.Or(theirs.refuse, theirs.result),
		ours:      cmp.Or(ours.refuse, ours.result),
		lua:       ours.lua,
	}
	a, notesA := splitNotes(address.ReplaceAllString(o.reference, "0x"))
	b, notesB := splitNotes(address.ReplaceAllString(o.ours, "0x"))
	switch {
	case theirs.refuse != "" && ours.refuse != "":
		o.what = "both refuse"
	case strings.Contains(theirs.refuse, "fennel.lua:"):
		o.what = "the reference breaks down"
	case theirs.refuse != "":
		o.what = "only the reference refuses"
	case ours.refuse != "":
		o.what = "only quire refuses"
	case strings.HasPrefix(a, "!load"):
		o.what = "the reference's Lua does not load"
	case strings.HasPrefix(a, "!>") && strings.HasPrefix(b, "!>"):
		o.what = "both fail when run"
	case a != b:
		o.what = "different results"
	case slices.Equal(notesA, notesB):
		o.what = "same"
	case slices.Equal(slices.Sorted(slices.Values(notesA)), slices.Sorted(slices.Values(notesB))):
		o.what = "same but for the order of evaluation"
	default:
		o.what = "different notes"
	}
	if o.different() {
		for _, e := range explained {
			if strings.Contains(o.reference, e.reference) && strings.Contains(o.ours, e.ours) {
				o.what = "explained: " + e.why
			}
		}
	}
	return o
}

// address matches the address that Lua prints for a table or function: it always differs.
var address = regexp.MustCompile(`0x[0-9a-f]+`)

// explained are the differences that are intended or on which programs cannot rely: a part
// of the output of either compiler or its program, and the reason.
var explained = []struct{ reference, ours, why string }{
	{"could not destructure literal", "", "quire leaves that to run time"},
	{"cannot call literal value", "", "one finds a call that can only fail when compiling, the other when running"},
	{"", "cannot call literal value", "one finds a call that can only fail when compiling, the other when running"},
	{"expected condition and body", "->", "the reference loses the body of (if true x) in a catch clause"},
	{"(fn {}", "(fn []", "the reference prints an empty sequence that a macro made as a table"},
	{"_1_auto", "_1_auto", "generated names are each compiler's own"},
	{"attempt to index local", "attempt to index local", "generated names are each compiler's own"},
	{"No such file or directory", "", "macros of a pipeline read no files"},
	{"expected body", "->", "the reference takes a first body that is false for none"},
	{"unable to bind number inf", "", "on Lua 5.1 the reference reads the word inf as a number"},
	{"", "expected parameters table", "the reference takes any table for parameters"},
	{"", "unable to bind symbol nil", "the reference lets nil stand for a name here and there"},
	{"", "expected a string of Lua", "the reference pastes any form into its Lua"},
	{"", "missing subject", "the reference takes a case-try without a subject for nil"},
	{"must provide at least one value", "->", "the reference refuses an empty pattern in where"},
	{"", "expected binding sequence", "the reference takes any table for a sequence of bindings"},
	{"", "a macro cannot be called", "the reference makes a macro that no form can call"},
	{"", "can't nest multi-value destructuring", "the reference takes a list among the names of a loop"},
	{"[3 2 3]", "[3 2]", "a global of the reference reads a local that it renamed to the same name"},
	{"", "assert-repl needs a prompt", "there is no prompt in a pipeline"},
	{"", "unknown identifier: io", "macros of a pipeline read no files"},
}

// splitNotes splits a line of run.lua into its result and the notes.
func splitNotes(line string) (result string, notes []string) {
	result, rest, _ := strings.Cut(line, " ;")
	return result, strings.Fields(rest)
}

// shrink drops forms of a program as long as the outcome stays the same.
func (r reference) shrink(t *testing.T, forms []string, o outcome) ([]string, outcome) {
	t.Helper()
	for {
		var smaller [][]string
		for i := range forms {
			smaller = append(smaller, slices.Delete(slices.Clone(forms), i, i+1))
		}
		found := false
		for i, candidate := range r.compare(t, smaller) {
			if candidate.what == o.what {
				forms, o, found = smaller[i], candidate, true
				break
			}
		}
		if !found || len(forms) == 1 {
			return forms, o
		}
	}
}
