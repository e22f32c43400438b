package workspace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// reuse is Materialize with Reuse.
func (f *fixture) reuse(commit, dir string) {
	f.t.Helper()
	if err := Materialize(context.Background(), f.open(), commit, dir, Options{Reuse: true}); err != nil {
		f.t.Fatal(err)
	}
}

// spoil changes a workspace like a job.
var spoil = map[string]func(dir string) error{
	"nothing":         func(string) error { return nil },
	"changed":         func(d string) error { return os.WriteFile(d+"/plain", []byte("other"), 0o644) },
	"same size":       func(d string) error { return os.WriteFile(d+"/plain", []byte("PLAIN\n"), 0o644) },
	"deleted":         func(d string) error { return os.Remove(d + "/plain") },
	"deleted tree":    func(d string) error { return os.RemoveAll(d + "/dir") },
	"executable":      func(d string) error { return os.Chmod(d+"/plain", 0o755) },
	"not executable":  func(d string) error { return os.Chmod(d+"/run", 0o644) },
	"unreadable":      func(d string) error { return os.Chmod(d+"/plain", 0) },
	"setuid":          func(d string) error { return unix.Chmod(d+"/run", 0o4755) },
	"untracked":       func(d string) error { return os.WriteFile(d+"/dir/new", nil, 0o644) },
	"untracked tree":  func(d string) error { return os.MkdirAll(d+"/x/y/z", 0o755) },
	"untracked link":  func(d string) error { return os.Symlink("/etc", d+"/etc") },
	"pipe":            func(d string) error { return unix.Mkfifo(d+"/pipe", 0o600) },
	"pipe for a file": func(d string) error { return errors.Join(os.Remove(d+"/plain"), unix.Mkfifo(d+"/plain", 0o600)) },
	"odd name":        func(d string) error { return os.WriteFile(d+"/\xff\n", nil, 0o644) },
	"tree for a file": func(d string) error {
		return errors.Join(os.Remove(d+"/plain"), os.MkdirAll(d+"/plain/deep", 0o755))
	},
	"file for a tree": func(d string) error {
		return errors.Join(os.RemoveAll(d+"/dir"), os.WriteFile(d+"/dir", nil, 0o644))
	},
	"link for a tree": func(d string) error {
		return errors.Join(os.Rename(d+"/dir", d+"/elsewhere"), os.Symlink("elsewhere", d+"/dir"))
	},
	"link for a file": func(d string) error {
		return errors.Join(os.Rename(d+"/plain", d+"/elsewhere"), os.Symlink("elsewhere", d+"/plain"))
	},
	"file for a link":   func(d string) error { return errors.Join(os.Remove(d+"/link"), os.WriteFile(d+"/link", nil, 0o644)) },
	"other link":        func(d string) error { return errors.Join(os.Remove(d+"/link"), os.Symlink("plain", d+"/link")) },
	"other hard link":   func(d string) error { return os.Link(d+"/plain", d+"/twin") },
	"read-only tree":    func(d string) error { return os.Chmod(d+"/dir", 0o555) },
	"open tree":         func(d string) error { return os.Chmod(d+"/dir", 0o777) },
	"read-only root":    func(d string) error { return os.Chmod(d, 0o555) },
	"read-only new":     func(d string) error { return errors.Join(os.MkdirAll(d+"/x/y", 0o755), os.Chmod(d+"/x", 0)) },
	"nested repository": func(d string) error { return exec.Command("git", "init", "-q", d+"/dir/nested").Run() },
	"repository":        func(d string) error { return exec.Command("git", "init", "-q", d).Run() },
	"in the submodule":  func(d string) error { return os.WriteFile(d+"/sub/file", nil, 0o644) },
	"ignored":           func(d string) error { return os.WriteFile(d+"/ignored.o", nil, 0o644) },
	"own ignore file":   func(d string) error { return os.WriteFile(d+"/dir/.gitignore", []byte("*\n"), 0o644) },
	"filtered":          func(d string) error { return os.WriteFile(d+"/a.bat", []byte("one\n"), 0o644) },
	"times set back": func(d string) error {
		before, err := os.Stat(d + "/plain")
		if err != nil {
			return err
		}
		return errors.Join(os.WriteFile(d+"/plain", []byte("PLAIN\n"), 0o644),
			os.Chtimes(d+"/plain", before.ModTime(), before.ModTime()))
	},
}

func TestReuse(t *testing.T) {
	f := newFixture(t)
	files := map[string]string{
		"100644 plain": "plain\n", "100755 run": "run\n", "100644 dir/sub/a": "a", "100644 dir/b": "b",
		"120000 link": "dir/b", "160000 sub": strings.Repeat("12", 20), "100644 .gitignore": "*.o\n",
		"100644 .gitattributes": "*.bat eol=crlf text\n", "100644 a.bat": "one\n", "100644 c.txt": "same\n",
	}
	first := f.commitOf(files)
	files["100644 dir/b"] = "changed"
	files["100644 new/file"] = "new"
	files["100644 .gitattributes"] = "*.txt eol=crlf text\n"
	delete(files, "100644 plain")
	files["100644 plain/now/a/tree"] = "tree"
	delete(files, "100644 dir/sub/a")
	second := f.commitOf(files)
	want := map[string]string{first: f.checkout(first), second: f.checkout(second)}

	for name, do := range spoil {
		for _, index := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/index=%v", name, index), func(t *testing.T) {
				t.Parallel()
				f := &fixture{t: t, dir: f.dir}
				parent := t.TempDir()
				dir := filepath.Join(parent, "ws")
				f.reuse(first, dir)
				next := second
				if !index {
					next = first
					if err := os.RemoveAll(filepath.Join(parent, ".ws.quire-index")); err != nil {
						t.Fatal(err)
					}
				}
				for _, commit := range []string{first, next} {
					if index { // its ctime is later than the ctime of all files in it
						awaitTick(t, parent)
						f.reuse(first, dir)
						awaitTick(t, parent)
					}
					if err := do(dir); err != nil {
						t.Fatal(err)
					}
					f.reuse(commit, dir)
					checkSame(t, want[commit], dir)
				}
				checkNoLeftovers(t, parent)
			})
		}
	}
}

// awaitTick returns after the next tick of the file system's clock, so that changes before
// and after it have different ctimes.
func awaitTick(t *testing.T, dir string) {
	t.Helper()
	changed := func() unix.Timespec {
		var st unix.Stat_t
		name := filepath.Join(dir, "tick")
		err := errors.Join(os.WriteFile(name, nil, 0o600), unix.Lstat(name, &st), os.Remove(name))
		if err != nil {
			t.Fatal(err)
		}
		return st.Ctim
	}
	for begin := changed(); changed() == begin; {
	}
}

// Files with a second link, and running programs, are replaced and not written to.
func TestReuseReplacesFiles(t *testing.T) {
	f := newFixture(t)
	files := map[string]string{"100755 run": "#!/bin/sh\n", "100644 twice": "one", "100644 same": "same"}
	first := f.commitOf(files)
	files["100755 run"], files["100644 twice"] = "#!/bin/sh\nexit 1\n", "two"
	second := f.commitOf(files)
	parent := t.TempDir()
	dir := filepath.Join(parent, "ws")
	f.reuse(first, dir)
	for _, name := range []string{"twice", "same"} {
		if err := os.Link(filepath.Join(dir, name), filepath.Join(parent, name)); err != nil {
			t.Fatal(err)
		}
	}
	// A running program cannot be written to.
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/run", program, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(dir+"/run", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	f.reuse(second, dir)
	checkSame(t, f.checkout(second), dir)
	for name, want := range map[string]string{"twice": "one", "same": "same"} {
		other := filepath.Join(parent, name)
		text, err := os.ReadFile(other)
		if err != nil || string(text) != want || inode(t, other) == inode(t, filepath.Join(dir, name)) {
			t.Errorf("another name of %s has %q: %v", name, text, err)
		}
	}
}

func inode(t *testing.T, path string) uint64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		t.Fatal(err)
	}
	return st.Ino
}

// Unchanged files are not written again, because builds compare times.
func TestReuseKeepsFiles(t *testing.T) {
	f := newFixture(t)
	first := f.commitOf(map[string]string{"100644 same": "same", "100644 other": "one", "120000 link": "x"})
	second := f.commitOf(map[string]string{"100644 same": "same", "100644 other": "two", "120000 link": "x"})
	dir := filepath.Join(t.TempDir(), "ws")
	if err := Materialize(context.Background(), f.open(), first, dir, Options{KeepIndex: true}); err != nil {
		t.Fatal(err)
	}
	same, link := inode(t, dir+"/same"), inode(t, dir+"/link")
	for _, commit := range []string{first, second, first} {
		f.reuse(commit, dir)
		checkSame(t, f.checkout(commit), dir)
		if inode(t, dir+"/same") != same || inode(t, dir+"/link") != link {
			t.Error("a file that did not change was written again")
		}
	}
}

// An index is used only for its own directory, if it is complete and if the rules for
// writing files have not changed.
func TestReuseDistrustsIndex(t *testing.T) {
	f := newFixture(t)
	commit := f.commitOf(map[string]string{"100644 a": "a", "100644 dir/b": "b"})
	write := func(name, text string) func(string) error {
		return func(parent string) error {
			return os.WriteFile(filepath.Join(parent, ".ws.quire-index", name), []byte(text), 0o600)
		}
	}
	for name, spoil := range map[string]func(parent string) error{
		"no state":      func(p string) error { return os.Remove(p + "/.ws.quire-index/state") },
		"no index":      func(p string) error { return os.Remove(p + "/.ws.quire-index/index") },
		"empty state":   write("state", ""),
		"another state": write("state", "{}"),
		"empty index":   write("index", ""),
		"damaged index": write("index", "DIRC"),
		"file of 0.1.0": func(p string) error {
			return errors.Join(os.RemoveAll(p+"/.ws.quire-index"), os.WriteFile(p+"/.ws.quire-record", []byte("quire-record 3\n"), 0o600))
		},
		"another directory": func(p string) error {
			return errors.Join(os.Rename(p+"/ws", p+"/old"), exec.Command("cp", "-a", p+"/old", p+"/ws").Run())
		},
		"a link to an index": func(p string) error {
			return errors.Join(os.Rename(p+"/.ws.quire-index/index", p+"/elsewhere"), os.Symlink(p+"/elsewhere", p+"/.ws.quire-index/index"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fixture{t: t, dir: f.dir}
			parent := t.TempDir()
			dir := filepath.Join(parent, "ws")
			f.reuse(commit, dir)
			awaitTick(t, parent)
			if err := errors.Join(os.WriteFile(filepath.Join(dir, "dir/b"), []byte("c"), 0o644), spoil(parent)); err != nil {
				t.Fatal(err)
			}
			before, err := os.Open(dir + "/a") // keeps its inode from being used again
			if err != nil {
				t.Fatal(err)
			}
			defer before.Close()
			f.reuse(commit, dir)
			checkSame(t, f.checkout(commit), dir)
			was, err1 := before.Stat()
			is, err2 := os.Lstat(dir + "/a")
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			if os.SameFile(was, is) && name != "no index" {
				t.Error("the workspace was not written again")
			}
			checkNoLeftovers(t, parent)
		})
	}
}

// Trees of the earlier commit may be gone from the repository.
func TestReuseWithoutEarlierTrees(t *testing.T) {
	f := newFixture(t)
	files := map[string]string{"100644 dir/sub/a": "a", "100755 dir/b": "b"}
	first := f.commitOf(files)
	files["100644 dir/sub/c"] = "c"
	second := f.commitOf(files)
	dir := filepath.Join(t.TempDir(), "ws")
	f.reuse(first, dir)
	tree := f.git("", "rev-parse", first+":dir/sub")
	if err := os.Remove(filepath.Join(f.dir, "objects", tree[:2], tree[2:])); err != nil {
		t.Fatal(err)
	}
	f.reuse(second, dir)
	checkSame(t, f.checkout(second), dir)
}

func TestReuseFailure(t *testing.T) {
	f := newFixture(t)
	commit := f.commitOf(map[string]string{"100644 a": "a"})
	dir := filepath.Join(t.TempDir(), "ws")
	f.reuse(commit, dir)
	// The commit of the workspace does not exist.
	err := Materialize(context.Background(), f.open(), "none", dir, Options{Reuse: true})
	if !errors.Is(err, ErrUnknownCommit) {
		t.Error(err)
	}
	checkSame(t, f.checkout(commit), dir)
	bad := f.commit(f.raw("100644 a", strings.Repeat("12", 20)))
	if err := Materialize(context.Background(), f.open(), bad, dir, Options{Reuse: true}); err == nil {
		t.Error("no error for an object that is not there")
	}
	checkNothing(t, dir)
	f.reuse(commit, dir)
	checkSame(t, f.checkout(commit), dir)
}

func TestKeepIgnored(t *testing.T) {
	f := newFixture(t)
	files := map[string]string{
		"100644 .gitignore": "*.o\ncache/\n", "100644 src/a.c": "a", "100644 src/deep/b.c": "b", "100644 gone/x": "x",
	}
	first := f.commitOf(files)
	delete(files, "100644 gone/x")
	files["100644 now.o/file"] = "a tree where an ignored file was"
	second := f.commitOf(files)
	dir := filepath.Join(t.TempDir(), "ws")
	f.reuse(first, dir)
	for _, name := range []string{
		"src/a.o", "src/deep/b.o", "cache/x/y", "gone/x.o", "new/only.o", "new/other", "junk", "now.o",
		"src/nested/.git/HEAD", "cache/nested/.git/HEAD", ".git/HEAD",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("built"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// A job that changes ignore rules does not change which files are kept.
	if err := os.WriteFile(dir+"/.gitignore", []byte("*\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir+"/src/deep", 0o555); err != nil {
		t.Fatal(err)
	}
	err := Materialize(context.Background(), f.open(), second, dir, Options{Reuse: true, KeepIgnored: true})
	if err != nil {
		t.Fatal(err)
	}
	got := snapshot(t, dir)
	want := snapshot(t, f.checkout(second))
	for _, name := range []string{"src/a.o", "src/deep/b.o", "cache/x/y", "gone/x.o", "new/only.o", "cache/nested/.git/HEAD"} {
		want[name] = fmt.Sprintf("%o %q", 0o100644, "built")
		for dir := filepath.Dir(name); dir != "."; dir = filepath.Dir(dir) {
			want[dir] = fmt.Sprintf("%o %q", 0o40755, "")
		}
	}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s is %s, want %s", name, got[name], want[name])
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is there", name)
		}
	}
}

func TestWithGit(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			f := newFixture(t, "--object-format="+format)
			first := f.commitOf(map[string]string{"100644 a": "one\n"})
			tree := f.tree(map[string]string{"100644 a": "two\n", "120000 l": "a", "160000 sub": first})
			second := f.git("second\n", "commit-tree", "-p", first, tree)
			f.git("", "update-ref", "refs/heads/main", second)
			f.git("", "update-ref", "refs/tags/v1", first)
			dir := filepath.Join(t.TempDir(), "ws")
			for range 2 {
				err := Materialize(context.Background(), f.open(), second, dir, Options{Reuse: true, WithGit: true})
				if err != nil {
					t.Fatal(err)
				}
				before := snapshot(t, f.dir)
				run := func(want string, args ...string) {
					t.Helper()
					cmd := exec.Command("git", args...)
					cmd.Dir = dir
					out, err := cmd.CombinedOutput()
					if err != nil || !strings.Contains(string(out), want) {
						t.Errorf("git %s: %v: %s", strings.Join(args, " "), err, out)
					}
				}
				run("v1-1-g"+second[:7], "describe", "--tags")
				run("second", "log", "--oneline")
				run("-one\n+two", "diff", "HEAD~1")
				run(second, "rev-parse", "origin/main", "HEAD")
				run("", "fsck")
				run("", "-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "-q", "--allow-empty", "-m", "mine")
				cmd := exec.Command("git", "status", "--porcelain")
				cmd.Dir = dir
				if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
					t.Errorf("git status: %v: %s", err, out)
				}
				if after := snapshot(t, f.dir); len(before) != len(after) {
					t.Error("the repository was written to")
				}
			}
		})
	}
}

// A file that attributes change is written again if it was touched or if its attributes
// changed, and always if a program changes it.
func TestReuseChanged(t *testing.T) {
	f := newFixture(t)
	programs := t.TempDir()
	version := filepath.Join(programs, "version")
	program := func(text string) {
		t.Helper()
		if err := os.WriteFile(version, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	program("1")
	f.git("", "config", "filter.stamp.smudge", "cat; cat '"+version+"'")
	commit := f.commitOf(map[string]string{
		"100644 .gitattributes": "*.bat text eol=crlf\n*.id ident\n*.st filter=stamp\n",
		"100644 a.bat":          "a\n", "100755 dir/b.bat": "b\n", "100644 c.id": "$Id$\n", "100644 d.st": "d\n",
	})
	parent := t.TempDir()
	dir := filepath.Join(parent, "ws")
	type stamp struct {
		inode   uint64
		changed unix.Timespec
	}
	stamps := func() map[string]stamp {
		t.Helper()
		awaitTick(t, parent)
		f.reuse(commit, dir)
		awaitTick(t, parent)
		found := map[string]stamp{}
		for _, name := range []string{"a.bat", "dir/b.bat", "c.id", "d.st"} {
			var st unix.Stat_t
			if err := unix.Lstat(filepath.Join(dir, name), &st); err != nil {
				t.Fatal(err)
			}
			found[name] = stamp{st.Ino, st.Ctim}
		}
		return found
	}
	written := func(before, after map[string]stamp) (names []string) {
		for _, name := range []string{"a.bat", "c.id", "d.st", "dir/b.bat"} {
			if before[name] != after[name] {
				names = append(names, name)
			}
		}
		return names
	}
	check := func(when string, before, after map[string]stamp, want ...string) {
		t.Helper()
		if got := written(before, after); !slices.Equal(got, want) {
			t.Errorf("%s: %q were written, want %q", when, got, want)
		}
		checkSame(t, f.checkout(commit), dir)
	}
	first := stamps()
	program("2")
	second := stamps()
	check("another program", first, second, "d.st")
	if err := os.WriteFile(filepath.Join(dir, "dir/b.bat"), []byte("c\r\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	third := stamps()
	check("touched", second, third, "d.st", "dir/b.bat")
	info := filepath.Join(f.open().CommonDir(), "info/attributes")
	if err := errors.Join(os.MkdirAll(filepath.Dir(info), 0o755), os.WriteFile(info, []byte("*.bat eol=lf\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	fourth := stamps()
	check("other attributes", third, fourth, "a.bat", "c.id", "d.st", "dir/b.bat")
	f.git("", "config", "core.autocrlf", "true")
	check("other configuration", fourth, stamps(), "a.bat", "c.id", "d.st", "dir/b.bat")
}
