package fennel

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quire/lib/diag"
	"quire/lib/vm"
)

// seeds adds the sources of the conformance suite to a fuzz target, and some sources that
// fail in odd ways.
func seeds(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("testdata/conformance/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for part := range strings.SplitSeq(string(text), "\n== ") {
			f.Add([]byte(part))
		}
	}
	for _, s := range []string{
		pipeline, "\x00\xff\xfe", "#!x\n#", "(", `"\`, "`,'#(", "((((((", "(macro m [] `(m)) (m)",
		"(macro m [x] `(do (m (m ,x)))) (m 1)", "(eval-compiler (while true nil))", "(eval-compiler (error \"\"))",
		"(local x x) (set x 1)", "(let [{: a & r} {}] #[$ $...])", "(case x (where (or 1 [a]) a) a)",
	} {
		f.Add([]byte(s))
	}
}

// FuzzRead checks that reading never panics, that every error has a position, and that forms
// which are written and read again are the same.
func FuzzRead(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		forms, err := Read(src, "fuzz.fnl")
		if err != nil {
			wantPositions(t, err)
			return
		}
		var before, after []string
		for _, n := range forms {
			before = append(before, format(n))
		}
		again, err := Read([]byte(strings.Join(before, "\n")), "again.fnl")
		if err != nil {
			t.Fatalf("written out it cannot be read: %v\n%s", err, strings.Join(before, "\n"))
		}
		for _, n := range again {
			after = append(after, format(n))
		}
		if a, b := strings.Join(before, "\n"), strings.Join(after, "\n"); a != b {
			t.Fatalf("read again it differs:\n%s\n%s", a, b)
		}
	})
}

// FuzzCompile checks that compiling never panics, that its time is bounded, and that the
// result is valid Lua.
func FuzzCompile(f *testing.F) {
	seeds(f)
	o := Options{
		File:    "fuzz.fnl",
		Globals: luaGlobals,
		Limits:  vm.Limits{Time: 200 * time.Millisecond, Memory: 64 << 20},
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		begin := time.Now()
		program, err := Compile(src, o)
		if d := time.Since(begin); d > time.Minute {
			t.Fatalf("took %s", d)
		}
		if err != nil {
			wantPositions(t, err)
			return
		}
		// The forms lua and eval-compiler copy text into the output.
		if s := string(src); strings.Contains(s, "lua") || strings.Contains(s, "eval-compiler") {
			return
		}
		v := vm.New(vm.Limits{})
		defer v.Close()
		if _, err := program.Load(v); err != nil {
			t.Fatalf("not Lua: %v\n%s", err, program.Lua)
		}
	})
}

// wantPositions checks that err is a list of diagnostics that all have a position.
func wantPositions(t *testing.T, err error) {
	t.Helper()
	var list diag.List
	if !errors.As(err, &list) || len(list) == 0 {
		t.Fatalf("not a list of diagnostics: %v", err)
	}
	for _, d := range list {
		if d.Line < 1 || d.Message == "" || strings.Contains(d.Message, "\n") {
			t.Errorf("a diagnostic without a position or message: %+v", d)
		}
	}
}
