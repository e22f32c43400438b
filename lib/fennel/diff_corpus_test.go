package fennel_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDifferentialCorpus compiles every .fnl file below the directories in FENNEL_CORPUS,
// which are separated by colons, with both compilers. Both must accept it or refuse it. The
// results must load, and do the same when run without the programs for which they were
// written.
func TestDifferentialCorpus(t *testing.T) {
	r := findReference(t)
	corpus := os.Getenv("FENNEL_CORPUS")
	if corpus == "" {
		t.Skip("no corpus: FENNEL_CORPUS names no directories")
	}
	for _, dir := range filepath.SplitList(corpus) {
		t.Run(filepath.Base(dir), func(t *testing.T) { r.corpus(t, dir) })
	}
}

// corpus compares all files below one directory.
func (r reference) corpus(t *testing.T, dir string) {
	programs := corpusFiles(t, dir)
	theirs, ours := r.compile(t, t.TempDir(), programs), compileOurs(t, programs)
	r.run(t, t.TempDir(), theirs, "lenient")
	r.run(t, t.TempDir(), ours, "lenient")
	tally := map[string]int{}
	for i, p := range programs {
		o := judge(theirs[i], ours[i])
		tally[o.what]++
		if o.different() {
			t.Errorf("%s: %s\nreference: %.300s\nquire:     %.300s", p.name, o.what, o.reference, o.ours)
		}
	}
	t.Logf("%d files: %v", len(programs), tally)
}

// corpusFiles reads the files below one directory. The names of their modules may be
// relative to any directory above the file, or to a usual directory for Fennel sources.
func corpusFiles(t *testing.T, dir string) []program {
	t.Helper()
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	var programs []program
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".fnl" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var roots []string
		for up := filepath.Dir(path); strings.HasPrefix(up, dir); up = filepath.Dir(up) {
			roots = append(roots, up)
		}
		for _, usual := range []string{"fnl", "src", "lib", "lua"} {
			roots = append(roots, filepath.Join(dir, usual))
		}
		name, err := filepath.Rel(dir, path)
		programs = append(programs, program{name: name, source: string(text), roots: roots})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(programs) == 0 {
		t.Fatalf("no .fnl files below %s", dir)
	}
	return programs
}

// modulesBelow finds modules in the same way as reference.lua.
func modulesBelow(roots []string) func(string) (string, []byte, error) {
	return func(name string) (string, []byte, error) {
		path := strings.ReplaceAll(name, ".", "/")
		for _, patterns := range [][]string{{".fnlm", "/init.fnlm", ".fnl", "/init-macros.fnl", "/init.fnl"}, {".lua"}} {
			for _, root := range roots {
				for _, suffix := range patterns {
					file := filepath.Join(root, path+suffix)
					if text, err := os.ReadFile(file); err == nil {
						return file, text, nil
					}
				}
			}
		}
		return "", nil, fmt.Errorf("module %q: %w", name, fs.ErrNotExist)
	}
}
