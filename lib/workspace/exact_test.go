package workspace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// odd has entries that are allowed in a tree but that many programs handle wrongly.
func odd() map[string]string {
	files := map[string]string{
		"100644 plain":               "plain\n",
		"100755 run":                 "#!/bin/sh\n",
		"100644 empty":               "",
		"100644 .gitignore":          "*\n",
		"100644 dir/sub/file":        "deep",
		"100644 dir.c":               "sorts before dir/",
		"100644 dir0":                "sorts after dir/",
		"100644 Case/File":           "upper",
		"100644 case/file":           "lower",
		"100644 na\nme\t\"\\":        "odd",
		"100644 \xff\xfe/\xe9":       "not UTF-8",
		"100644 -n":                  "looks like an option",
		"100644 large":               strings.Repeat("0123456789abcdef", 40000),
		"120000 link":                "dir/sub/file",
		"120000 absolute":            "/etc/passwd",
		"120000 out":                 "../../../etc/passwd",
		"120000 dir/dangling":        "none",
		"120000 longlink":            strings.Repeat("x", 4000),
		"100644 .git-not/.gitkeep":   "",
		"100644 a/.gitmodules/x":     "a directory of that name",
		"100644 " + longPath(4000):   "far down",
		"100644 export/ignored":      "archives leave it out",
		"100644 export/subst":        "$Format:%H$",
		"100644 sub/.gitattributes":  "*.nothing -text\n",
		"100644 .gitattributes":      "export/ignored export-ignore\nexport/subst export-subst\n",
		"100644 " + long(255, "n"):   "longest name",
		"100644 d\u00e9ja/vu\u0301":  "decomposed",
		"100644 con/aux.txt":         "names of devices elsewhere",
		"100644 trailing. /space .x": "ends in a dot and a space",
	}
	return files
}

func long(n int, s string) string { return strings.Repeat(s, n) }

// longPath returns a path of n bytes.
func longPath(n int) string {
	path := "long"
	for len(path)+101 < n {
		path += "/" + long(100, "d")
	}
	return path + "/" + long(n-len(path)-1, "f")
}

func TestExact(t *testing.T) {
	filter := []string{"config", "filter.upper.smudge", "tr a-z A-Z"}
	attributes := func(text string, more ...string) map[string]string {
		files := map[string]string{
			"100644 .gitattributes": text, "100644 a.txt": "one\ntwo $Id$\n", "100755 b.bat": "three\n",
			"100644 dir/c.TXT": "four\n", "120000 dir/l.txt": "five\nsix", "100644 bin.txt": "\x00\n",
		}
		for i := 0; i < len(more); i += 2 {
			files[more[i]] = more[i+1]
		}
		return files
	}
	tests := []struct {
		name   string
		config []string
		files  map[string]string
	}{
		{"odd names and kinds", nil, odd()},
		{"no attributes", nil, attributes("")},
		{"text", nil, attributes("* text=auto\n")},
		{"eol of a suffix", nil, attributes("* text=auto\n*.bat text eol=crlf\n")},
		{"eol of all", nil, attributes("* text=auto eol=crlf\n")},
		{"eol below a directory", nil, attributes("/dir/** text eol=crlf\n*.bat eol=lf\n")},
		{"eol by a bracket", nil, attributes("[ab].* text eol=crlf\n")},
		{"eol by a quoted name", nil, attributes("\"a.tx\\164\" text eol=crlf\n")},
		{"macro", nil, attributes("[attr]dos text eol=crlf\n*.txt dos\n")},
		{"macro undone deeper", nil, attributes("[attr]dos text eol=crlf\n*.txt dos\n",
			"100644 dir/.gitattributes", "*.TXT !dos\nl* text\n")},
		{"only in a directory", nil, attributes("", "100644 dir/.gitattributes", "c.* text eol=crlf\n")},
		{"ident", nil, attributes("*.txt ident\n")},
		{"encoding", nil, attributes("*.txt text working-tree-encoding=UTF-16LE\n")},
		{"encoding beside others", nil, attributes("", "100644 dir/.gitattributes", "*.TXT working-tree-encoding=UTF-16LE\n",
			"100644 other/.gitattributes", "* text=auto eol=crlf\n", "100644 other/f", "six\n")},
		{"filter that is declared", filter, attributes("*.txt filter=upper\n")},
		{"filter that is not declared", nil, attributes("*.txt filter=upper\n")},
		{"autocrlf", []string{"config", "core.autocrlf", "true"}, attributes("b.bat -text\n")},
		{"autocrlf input", []string{"config", "core.autocrlf", "input"}, attributes("")},
		{"eol configured", []string{"config", "core.eol", "crlf"}, attributes("*.txt text\n")},
		{"ignored case", []string{"config", "core.ignorecase", "true"}, attributes("*.txt text eol=crlf\n")},
		{"byte order mark", nil, attributes("\xef\xbb\xbfa.txt text eol=crlf\n")},
		{"submodule", nil, attributes("", "160000 sub", strings.Repeat("12", 20))},
		{"empty", nil, map[string]string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			if tt.config != nil {
				f.git("", tt.config...)
			}
			commit := f.commitOf(tt.files)
			checkSame(t, f.checkout(commit), f.materialize(commit))
		})
	}
}

// A tree may contain trees without files. They do not appear in a working copy.
func TestEmptyTrees(t *testing.T) {
	f := newFixture(t)
	none := f.git("", "mktree")
	blob := f.blob("text")
	inner := f.git(fmt.Sprintf("040000 tree %s\tnone\n", none), "mktree")
	top := f.git(fmt.Sprintf("040000 tree %s\tinner\n040000 tree %s\tnone\n100644 blob %s\tfile\n", inner, none, blob), "mktree")
	first, second := f.commit(top), f.commit(f.tree(map[string]string{"100644 inner/none/file": "text"}))
	checkSame(t, f.checkout(first), f.materialize(first))
	dir := filepath.Join(t.TempDir(), "ws")
	f.reuse(second, dir)
	f.reuse(first, dir)
	checkSame(t, f.checkout(first), dir)
}

func TestAttributesOutsideTheTree(t *testing.T) {
	f := newFixture(t)
	commit := f.commitOf(map[string]string{"100644 a.txt": "a\n", "100644 b.txt": "b\n"})
	plain := f.materialize(commit)
	info := filepath.Join(f.dir, "info/attributes")
	if err := os.MkdirAll(filepath.Dir(info), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(info, []byte("a.txt text eol=crlf\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	changed := f.materialize(commit)
	checkSame(t, f.checkout(commit), changed)
	if diff := cmp.Diff(snapshot(t, plain), snapshot(t, changed)); diff == "" {
		t.Error("info/attributes changed nothing")
	}
	if err := os.WriteFile(info, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(t.TempDir(), "attributes")
	if err := os.WriteFile(own, []byte("b.txt text eol=crlf\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	f.git("", "config", "core.attributesFile", own)
	checkSame(t, f.checkout(commit), f.materialize(commit))
}

func TestSHA256(t *testing.T) {
	f := newFixture(t, "--object-format=sha256")
	commit := f.commitOf(odd())
	checkSame(t, f.checkout(commit), f.materialize(commit))
}

// Objects may be loose, in packs, or in another repository; replace refs have no effect.
func TestObjectsInPacksAndAlternates(t *testing.T) {
	f := newFixture(t)
	first := f.commitOf(map[string]string{"100644 a": long(2000, "line\n")})
	f.git("", "update-ref", "refs/heads/main", first)
	f.git("", "repack", "-adq")
	second := f.commitOf(map[string]string{"100644 a": long(2000, "line\n") + "more", "100644 b": "b"})
	f.git("", "update-ref", "refs/heads/main", second)
	f.git("", "repack", "-dq")
	third := f.commitOf(map[string]string{"100644 a": "loose", "100644 b": "b", "100755 c": "c"})
	for _, commit := range []string{first, second, third} {
		checkSame(t, f.checkout(commit), f.materialize(commit))
	}

	borrower := newFixture(t)
	alternates := filepath.Join(borrower.dir, "objects/info/alternates")
	if err := os.WriteFile(alternates, []byte(filepath.Join(f.dir, "objects")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	checkSame(t, f.checkout(third), borrower.materialize(third))

	want := snapshot(t, f.materialize(third))
	f.git("", "replace", f.blob("b"), f.blob("replaced"))
	f.git("", "replace", third, first)
	if diff := cmp.Diff(want, snapshot(t, f.materialize(third))); diff != "" {
		t.Error(diff)
	}
}

// QUIRE_TEST_LARGE=1 makes it 100,000 files.
func TestManyFilesInOneDirectory(t *testing.T) {
	count := 3000
	if os.Getenv("QUIRE_TEST_LARGE") != "" {
		count = 100_000
	}
	f := newFixture(t)
	blob := f.blob("text")
	var lines strings.Builder
	for i := range count {
		fmt.Fprintf(&lines, "100644 blob %s\tfile%06d\n", blob, i)
	}
	dir := f.materialize(f.commit(f.git(lines.String(), "mktree")))
	names, err := readNames(dir)
	if err != nil || len(names) != count {
		t.Errorf("%d files: %v", len(names), err)
	}
}

func TestCommitNames(t *testing.T) {
	f := newFixture(t)
	commit := f.commitOf(map[string]string{"100644 a": "a"})
	f.git("", "update-ref", "refs/heads/main", commit)
	f.git("", "-c", "user.name=T", "-c", "user.email=t@example.com", "tag", "-a", "-m", "m", "v1", commit)
	for _, name := range []string{commit, commit[:12], "main", "HEAD", "v1", "refs/tags/v1"} {
		checkSame(t, f.checkout(commit), f.materialize(name))
	}
	for _, name := range []string{
		"", "none", strings.Repeat("0", 40), strings.Repeat("1", 40), f.blob("a"), commit + "^{tree}",
		"main\nmain", "--all", commit + "0", "main:a",
	} {
		dir := filepath.Join(t.TempDir(), "ws")
		err := Materialize(context.Background(), f.open(), name, dir, Options{})
		if !errors.Is(err, ErrUnknownCommit) || !strings.Contains(err.Error(), "'"+name+"'") {
			t.Errorf("%q: %v", name, err)
		}
		checkNothing(t, dir)
	}
}

// Programs that pushed content names must not run, nor those that the repository configures
// for people's working copies.
func TestNothingRuns(t *testing.T) {
	f := newFixture(t)
	mark := filepath.Join(t.TempDir(), "mark")
	script := "#!/bin/sh\ntouch '" + mark + "'\n"
	pointer := "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
	commit := f.commitOf(map[string]string{
		"100644 .gitattributes":   "*.bin filter=lfs\n*.txt text eol=crlf\n*.evil filter=evil\n",
		"100644 a.bin":            pointer,
		"100644 a.txt":            "a\n",
		"100644 a.evil":           "evil\n",
		"100644 .gitconfig":       "[filter \"evil\"]\n\tsmudge = touch '" + mark + "'\n",
		"100755 .githooks/run":    script,
		"100755 hooks/post-merge": script,
	})
	// From here on, the fixture's git could run them, too.
	for _, hook := range []string{"post-checkout", "post-index-change", "reference-transaction"} {
		if err := os.WriteFile(filepath.Join(f.dir, "hooks", hook), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	f.git("", "config", "core.fsmonitor", "touch '"+mark+"'")
	f.git("", "config", "filter.lfs.smudge", "touch '"+mark+"'")
	f.git("", "config", "filter.lfs.process", "touch '"+mark+"'")
	f.git("", "config", "filter.lfs.required", "true")
	dir := filepath.Join(t.TempDir(), "ws")
	for _, o := range []Options{{}, {Reuse: true, KeepIgnored: true, WithGit: true}} {
		if err := Materialize(context.Background(), f.open(), commit, dir, o); err != nil {
			t.Fatal(err)
		}
		if data, err := os.ReadFile(filepath.Join(dir, "a.bin")); err != nil || string(data) != pointer {
			t.Errorf("a.bin: %q %v", data, err)
		}
	}
	if _, err := os.Lstat(mark); err == nil {
		t.Error("something ran")
	}
}

func TestLFS(t *testing.T) {
	f := newFixture(t)
	commit := f.commitOf(map[string]string{
		"100644 .gitattributes": "*.bin filter=lfs -text\n", "100644 a.bin": "pointer", "100644 b.txt": "text",
	})
	other := f.commitOf(map[string]string{
		"100644 .gitattributes": "*.bin filter=lfs -text\n", "100644 b.txt": "text",
	})
	dir := filepath.Join(t.TempDir(), "ws")
	lfs := func(commit string) error {
		return Materialize(context.Background(), f.open(), commit, dir, Options{Reuse: true, LFS: true})
	}
	if err := lfs(other); err != nil {
		t.Errorf("a tree without its files: %v", err)
	}
	if err := lfs(commit); err == nil || !strings.Contains(err.Error(), "Git LFS") {
		t.Errorf("no filter: %v", err)
	}
	checkNothing(t, dir)
	f.git("", "config", "filter.lfs.smudge", "tr a-z A-Z")
	if err := lfs(commit); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "a.bin")); err != nil || string(data) != "POINTER" {
		t.Errorf("a.bin: %q %v", data, err)
	}
	// A filter that is not required would leave the pointer if it fails.
	f.git("", "config", "filter.lfs.smudge", "false")
	if err := lfs(commit); err == nil {
		t.Error("no error of a filter that fails")
	}
	checkNothing(t, dir)
}
