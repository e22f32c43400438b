// Package test tests quire as a whole: the rules of the source tree, and real pushes to real
// bare repositories.
package test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layers are the packages from the base up. A package imports only packages of
// the layers before its own.
var layers = [][]string{
	{"file", "owner", "text", "unit"},
	{"git/direct"},
	{"diag", "cli", "git", "glob", "process", "push", "runlog", "vm"},
	{"runstore", "fennel", "workspace", "hook"},
	{"config", "pipeline", "view", "repos"},
	{"executor", "notify"},
	{"drive", "trigger"},
	{"doctor", "web"},
}

// baseImports are the imports that base packages may have among themselves.
var baseImports = []string{"cli -> diag"}

func TestImportsRunOneWay(t *testing.T) {
	t.Parallel()
	rank := map[string]int{}
	for i, layer := range layers {
		for _, name := range layer {
			rank[name] = i
		}
	}
	for _, file := range goFiles(t, "../lib") {
		name := filepath.ToSlash(strings.TrimPrefix(filepath.Dir(file), "../lib/"))
		mine, ok := rank[name]
		if !ok {
			t.Errorf("%s: package %s has no layer", file, name)
			continue
		}
		for _, path := range imports(t, file) {
			other, ok := strings.CutPrefix(path, "quire/lib/")
			if !ok {
				if strings.HasPrefix(path, "quire/") {
					t.Errorf("%s imports %s", file, path)
				}
				continue
			}
			arrow := name + " -> " + other
			if other == name {
				continue // an external test of the package
			}
			if rank[other] >= mine && !slices.Contains(baseImports, arrow) {
				t.Errorf("%s: %s is against the layers", file, arrow)
			}
		}
	}
}

// TestLibKeepsQuiet checks that no package in lib prints, exits, or reads the command
// line, except package cli, which connects to the system.
func TestLibKeepsQuiet(t *testing.T) {
	t.Parallel()
	forbidden := []string{"os.Args", "os.Exit(", "os.Stdout", "os.Stderr", "os.Stdin", "fmt.Print", "log.Print", "log.Fatal", "flag."}
	for _, file := range goFiles(t, "../lib") {
		if strings.Contains(file, "/cli/") || strings.HasSuffix(file, "_test.go") {
			continue
		}
		for n, line := range lines(t, file) {
			code, _, _ := strings.Cut(line, "//")
			for _, word := range forbidden {
				if i := strings.Index(code, word); i >= 0 && (i == 0 || !isLetter(code[i-1])) {
					t.Errorf("%s:%d uses %s", file, n+1, word)
				}
			}
		}
	}
}

func isLetter(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// TestOneStarterOfGit checks that only package git starts git.
func TestOneStarterOfGit(t *testing.T) {
	t.Parallel()
	for _, file := range goFiles(t, "../lib") {
		if strings.Contains(file, "/git/") || strings.HasSuffix(file, "_test.go") {
			continue
		}
		for n, line := range lines(t, file) {
			if strings.Contains(line, "exec.Command") && strings.Contains(line, `"git"`) {
				t.Errorf("%s:%d starts git", file, n+1)
			}
		}
	}
}

// TestStoreStartsNothing checks that package runstore starts no process.
func TestStoreStartsNothing(t *testing.T) {
	t.Parallel()
	for _, file := range goFiles(t, "../lib/runstore") {
		if !strings.HasSuffix(file, "_test.go") && slices.Contains(imports(t, file), "os/exec") {
			t.Errorf("%s imports os/exec", file)
		}
	}
}

// TestFilesAreOfOnePackage checks that only package file locks files, creates nameless
// ones, and replaces a file by writing another one and renaming it. Package workspace
// publishes directories.
func TestFilesAreOfOnePackage(t *testing.T) {
	forbidden := []string{"unix.Flock", "syscall.Flock", "F_OFD_", "F_SETLK", "FcntlFlock", "MemfdCreate", "O_TMPFILE", "CreateTemp"}
	for _, file := range append(goFiles(t, "../lib"), goFiles(t, "../cmd")...) {
		if strings.Contains(file, "/lib/file/") || strings.HasSuffix(file, "_test.go") {
			continue
		}
		renames, writes := 0, false
		for n, line := range lines(t, file) {
			code, _, _ := strings.Cut(line, "//")
			for _, word := range forbidden {
				if strings.Contains(code, word) {
					t.Errorf("%s:%d uses %s, which is for package file", file, n+1, word)
				}
			}
			switch {
			case strings.Contains(code, "os.Rename("), strings.Contains(code, "unix.Rename("):
				renames = n + 1
			case strings.Contains(code, "os.Create("), strings.Contains(code, "WriteFile("), strings.Contains(code, "file.Write("), strings.Contains(code, "O_WRONLY"):
				writes = true
			}
		}
		if renames > 0 && writes && !strings.Contains(file, "/lib/workspace/") {
			t.Errorf("%s:%d renames, and the file writes files: use file.Replace", file, renames)
		}
	}
}

// TestStartsAreQuick checks that no command except quire-web links a package that builds
// large tables before main, or serves pages; see ARCHITECTURE.md.
func TestStartsAreQuick(t *testing.T) {
	t.Parallel()
	mains, err := filepath.Glob("../cmd/*")
	if err != nil || len(mains) == 0 {
		t.Fatalf("no commands: %v", err)
	}
	mains = slices.DeleteFunc(mains, func(dir string) bool { return dir == "../cmd/quire-web" })
	out, err := exec.Command("go", append([]string{"list", "-deps"}, mains...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	linked := strings.Fields(string(out))
	for _, path := range []string{
		"regexp", "runtime/metrics", "crypto/rand", "math/big", "net", "net/url", "net/http", "text/template", "html/template", "quire/lib/web",
	} {
		if slices.Contains(linked, path) {
			t.Errorf("a command links %s", path)
		}
	}
}

// TestWebOnlyReads checks that lib/web, which answers the requests, links no package that
// starts git, reads repositories, drives runs, or creates them. The command uses Git to find
// the root before it serves.
func TestWebOnlyReads(t *testing.T) {
	t.Parallel()
	writers := []string{"repos", "executor", "drive", "trigger", "notify", "workspace", "pipeline"}
	for dir, names := range map[string][]string{
		"../lib/web":       append([]string{"git", "git/direct"}, writers...),
		"../cmd/quire-web": writers,
	} {
		out, err := exec.Command("go", "list", "-deps", dir).CombinedOutput()
		if err != nil {
			t.Fatalf("go list: %v\n%s", err, out)
		}
		for _, name := range names {
			if slices.Contains(strings.Fields(string(out)), "quire/lib/"+name) {
				t.Errorf("%s links package %s", dir, name)
			}
		}
	}
}

// commands are the programs that make install puts into bin.
func commands(t *testing.T) []string {
	t.Helper()
	dirs, err := filepath.Glob("../cmd/*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no commands: %v", err)
	}
	var names []string
	for _, dir := range dirs {
		names = append(names, filepath.Base(dir))
	}
	return append(names, "quire-dispatch")
}

// TestCommandsAreDocumented checks that each command has a page with an EXIT STATUS, and
// that its one-line description is the same in the page and in quire(7).
func TestCommandsAreDocumented(t *testing.T) {
	t.Parallel()
	front := read(t, "../man/quire.7")
	for _, name := range commands(t) {
		page := read(t, "../man/"+name+".1")
		if !strings.Contains(page, ".Sh EXIT STATUS") {
			t.Errorf("%s.1 has no EXIT STATUS", name)
		}
		_, rest, ok := strings.Cut(page, ".Nd ")
		if !ok {
			t.Errorf("%s.1 has no one-line description", name)
			continue
		}
		line, _, _ := strings.Cut(rest, "\n")
		if !strings.Contains(front, fmt.Sprintf(".It Xr %s 1\n%s\n", name, line)) {
			t.Errorf("quire.7 does not list %s with its line %q", name, line)
		}
	}
}

// TestMainsAreShort checks that the files of commands only parse, call, and map exit codes.
func TestMainsAreShort(t *testing.T) {
	t.Parallel()
	for _, file := range goFiles(t, "../cmd") {
		if n := len(lines(t, file)); n > 80 && !strings.HasSuffix(file, "_test.go") {
			t.Errorf("%s has %d lines, at most 80 are wanted", file, n)
		}
	}
}

func TestHooksAreShort(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"../hooks/post-receive", "../hooks/pre-receive", "../hooks/quire-dispatch"} {
		if n := len(lines(t, file)); n >= 40 {
			t.Errorf("%s has %d lines, fewer than 40 are wanted", file, n)
		}
	}
}

func goFiles(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "testdata" {
			return fs.SkipDir
		}
		if err == nil && strings.HasSuffix(path, ".go") {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("no Go files in %s: %v", dir, err)
	}
	return files
}

func imports(t *testing.T, file string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, spec := range parsed.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

func lines(t *testing.T, file string) []string {
	t.Helper()
	return strings.Split(strings.TrimSuffix(read(t, file), "\n"), "\n")
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
