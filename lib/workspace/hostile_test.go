package workspace

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quire/lib/git"
)

// raw writes a tree object with exactly these entries, which git itself would not make:
// alternately "MODE NAME" and an id.
func (f *fixture) raw(entries ...string) string {
	f.t.Helper()
	var data strings.Builder
	for i := 0; i < len(entries); i += 2 {
		oid, err := hex.DecodeString(entries[i+1])
		if err != nil {
			f.t.Fatal(err)
		}
		data.WriteString(entries[i] + "\x00" + string(oid))
	}
	return f.git(data.String(), "hash-object", "-t", "tree", "--literally", "-w", "--stdin")
}

// rawCommit writes a commit of a tree that commit-tree might refuse.
func (f *fixture) rawCommit(tree string) string {
	f.t.Helper()
	text := "tree " + tree + "\nauthor A <a@example.com> 1700000000 +0000\ncommitter A <a@example.com> 1700000000 +0000\n\nx\n"
	return f.git(text, "hash-object", "-t", "commit", "--literally", "-w", "--stdin")
}

func TestHostileTrees(t *testing.T) {
	f := newFixture(t)
	outside := t.TempDir()
	blob := f.blob("pwned\n")
	link := func(target string) string { return f.blob(target) }
	evil := f.raw("100644 pwned", blob)
	tests := []struct {
		name, tree, err string
	}{
		{"dot dot file", f.raw("100644 ..", blob), "not a valid file name"},
		{"dot dot tree", f.raw("40000 ..", evil), "not a valid file name"},
		{"dot", f.raw("40000 .", evil), "not a valid file name"},
		{"no name", f.raw("100644 ", blob), "not a valid file name"},
		{"slash", f.raw("100644 ../pwned", blob), "not a valid file name"},
		{"absolute", f.raw("100644 "+outside+"/pwned", blob), "not a valid file name"},
		{"slash below", f.raw("100644 a/b", blob), "not a valid file name"},
		{"deeper", f.raw("40000 a", f.raw("40000 b", f.raw("40000 ..", evil))), "'a/b/..'"},
		{".git", f.raw("40000 .git", evil), "a spelling of .git"},
		{".git file", f.raw("100644 .git", blob), "a spelling of .git"},
		{".git link", f.raw("120000 .git", link(outside)), "a spelling of .git"},
		{".git below", f.raw("40000 sub", f.raw("40000 .GIT", evil)), "a spelling of .git"},
		{"link, then a tree", f.raw("120000 a", link(outside), "40000 a", evil), "the name occurs twice"},
		{"tree, then a link", f.raw("40000 a", evil, "120000 a", link(outside)), "the name occurs twice"},
		{"twice apart", f.raw("120000 a", link(outside), "100644 a.b", blob, "40000 a", evil), "the name occurs twice"},
		{"twice the same", f.raw("100644 a", blob, "100644 a", blob), "the name occurs twice"},
		{"device", f.raw("20000 a", blob), "git does not use its mode"},
		{"pipe", f.raw("10000 a", blob), "git does not use its mode"},
		{"socket", f.raw("140000 a", blob), "git does not use its mode"},
		{"no mode", f.raw("0 a", blob), "git does not use its mode"},
		{"mode that is no number", f.raw("10x644 a", blob), "malformed tree"},
		{"linked .gitmodules", f.raw("120000 .gitmodules", link("/etc/passwd")), "it is a symbolic link"},
		{"linked .GitModules.", f.raw("120000 .GitModules.", link("/etc/passwd")), "it is a symbolic link"},
		{"file that is a tree", f.raw("100644 a", evil), evil},
		{"link that is a tree", f.raw("120000 a", evil), "its object is a tree"},
		{"tree that is a blob", f.raw("40000 a", blob), "it is a blob"},
		{"missing blob", f.raw("100644 a", strings.Repeat("12", 20)), "121212"},
		{"missing tree", f.raw("40000 a", strings.Repeat("12", 20)), "no such object"},
		{"long name", f.raw("100644 "+long(256, "n"), blob), "File name too long"},
		{"long path", deep(f, 45, long(100, "d")), "the path is too long"},
		{"long link", f.raw("120000 a", link(long(5000, "x"))), "the symbolic link is too long"},
		{"empty link", f.raw("120000 a", link("")), "the symbolic link is empty"},
		{"link with a NUL", f.raw("120000 a", link("a\x00b")), "the symbolic link contains a NUL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			commit := f.rawCommit(tt.tree)
			parent := t.TempDir()
			dir := filepath.Join(parent, "ws")
			err := Materialize(context.Background(), f.open(), commit, dir, Options{})
			if err == nil || !strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "\n") {
				t.Errorf("Materialize: %v, want %s", err, tt.err)
			}
			for _, d := range []string{parent, outside} {
				if names, err := readNames(d); err != nil || len(names) > 0 {
					t.Errorf("%s has %q %v", d, names, err)
				}
			}
		})
	}
}

// deep returns a tree of so many nested directories.
func deep(f *fixture, depth int, name string) string {
	tree := f.raw("100644 file", f.blob("x"))
	for range depth {
		tree = f.raw("40000 "+name, tree)
	}
	return tree
}

// A few small trees, each of which contains the next one many times.
func TestTreeBomb(t *testing.T) {
	f := newFixture(t)
	tree := f.raw("100644 f", f.blob("x"))
	for range 12 {
		var entries []string
		for i := range 10 {
			entries = append(entries, fmt.Sprintf("40000 d%d", i), tree)
		}
		tree = f.raw(entries...)
	}
	objects, err := f.open().Objects(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer objects.Close()
	_, err = checkTree(objects, "", tree, 10_000)
	if err == nil || !strings.Contains(err.Error(), "more than 10000 entries") {
		t.Errorf("checkTree: %v", err)
	}
}

// Pushed content may have a link that leads out of the tree; Materialize does not follow it.
func TestLinksAreNotFollowed(t *testing.T) {
	f := newFixture(t)
	outside := t.TempDir()
	secret := filepath.Join(outside, "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	commit := f.commit(f.raw("120000 a", f.blob(outside), "120000 b", f.blob(secret), "100644 c", f.blob("c")))
	dir := f.materialize(commit)
	checkSame(t, f.checkout(commit), dir)

	// The next tree has files in place of the links.
	next := f.commit(f.raw("40000 a", f.raw("100644 secret", f.blob("new")), "100644 b", f.blob("new")))
	if err := Materialize(context.Background(), f.open(), next, dir, Options{Reuse: true}); err != nil {
		t.Fatal(err)
	}
	checkSame(t, f.checkout(next), dir)
	if data, err := os.ReadFile(secret); err != nil || string(data) != "secret" {
		t.Errorf("outside: %q %v", data, err)
	}
}

func TestCheckEntry(t *testing.T) {
	refused := []string{
		".git", ".GIT", ".Git", ".git.", ".git ", ".git . .", "git~1", "GIT~1", ".git::$INDEX_ALLOCATION",
		".git:x", `.git\hooks`, `a\.git`, `a\git~1\b`, ".g\u200cit", "\ufeff.git", ".gi\u202at", "git~1.",
		"", ".", "..", "a/b", "/",
	}
	allowed := []string{
		".gitignore", ".gitattributes", ".gitmodules", "git", ".gitx", "x.git", ".git2", "git~2", "git~11",
		"...", "..a", " ", ".g it", `a\b`, "\xff", "a:b", "con",
	}
	for _, name := range refused {
		if checkEntry(git.Entry{Name: name, Mode: git.ModeFile}) == nil {
			t.Errorf("%q is allowed", name)
		}
	}
	for _, name := range allowed {
		if err := checkEntry(git.Entry{Name: name, Mode: git.ModeFile}); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, mode := range []uint32{0o100664, 0o100600, 0o100777, 0o40755} {
		if err := checkEntry(git.Entry{Name: "a", Mode: mode}); err != nil {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}
