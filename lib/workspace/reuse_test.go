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

// spoil does to a workspace what jobs do.
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
		for _, record := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/record=%v", name, record), func(t *testing.T) {
				t.Parallel()
				f := &fixture{t: t, dir: f.dir}
				parent := t.TempDir()
				dir := filepath.Join(parent, "ws")
				f.reuse(first, dir)
				next := second
				if !record {
					next = first
					if err := os.Remove(filepath.Join(parent, ".ws.quire-record")); err != nil {
						t.Fatal(err)
					}
				}
				for _, commit := range []string{first, next} {
					if record { // one that is later than all it is about
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

// awaitTick returns when the clock of the file system has gone on: changes before and
// after it are told apart by their times.
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

// What has other contents is written over where nobody else can have it.
func TestReuseWritesOver(t *testing.T) {
	f := newFixture(t)
	files := map[string]string{"100644 a": "longer contents", "100755 run": "#!/bin/sh\n", "100644 twice": "one"}
	first := f.commitOf(files)
	files["100644 a"], files["100755 run"], files["100644 twice"] = "short", "#!/bin/sh\nexit 1\n", "two"
	second := f.commitOf(files)
	parent := t.TempDir()
	dir, other := filepath.Join(parent, "ws"), filepath.Join(parent, "other")
	f.reuse(first, dir)
	inode := func(name string) uint64 {
		var st unix.Stat_t
		if err := unix.Lstat(filepath.Join(dir, name), &st); err != nil {
			t.Fatal(err)
		}
		return st.Ino
	}
	if err := os.Link(dir+"/twice", other); err != nil {
		t.Fatal(err)
	}
	// What is being executed cannot be written to.
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
	a, twice := inode("a"), inode("twice")
	f.reuse(second, dir)
	checkSame(t, f.checkout(second), dir)
	if inode("a") != a {
		t.Error("a file was made anew")
	}
	if text, err := os.ReadFile(other); err != nil || string(text) != "one" || inode("twice") == twice {
		t.Errorf("another name of a file has %q: %v", text, err)
	}
}

// What is right is not written again: builds look at times.
func TestReuseKeepsFiles(t *testing.T) {
	f := newFixture(t)
	first := f.commitOf(map[string]string{"100644 same": "same", "100644 other": "one", "120000 link": "x"})
	second := f.commitOf(map[string]string{"100644 same": "same", "100644 other": "two", "120000 link": "x"})
	dir := filepath.Join(t.TempDir(), "ws")
	inode := func(name string) uint64 {
		t.Helper()
		var st unix.Stat_t
		if err := unix.Lstat(filepath.Join(dir, name), &st); err != nil {
			t.Fatal(err)
		}
		return st.Ino
	}
	// Made without a record, taken over without one, and with one.
	if err := Materialize(context.Background(), f.open(), first, dir, Options{}); err != nil {
		t.Fatal(err)
	}
	same, link := inode("same"), inode("link")
	for _, commit := range []string{first, second, first} {
		f.reuse(commit, dir)
		checkSame(t, f.checkout(commit), dir)
		if inode("same") != same || inode("link") != link {
			t.Error("a file that did not change was written again")
		}
	}
}

// A record is believed only of files that are what it was made of.
func TestReuseDistrustsRecord(t *testing.T) {
	f := newFixture(t)
	commit := f.commitOf(map[string]string{"100644 a": "a"})
	for _, text := range []string{"", "junk", recordHeader, recordHeader + "half", recordHeader + "a b c\x00"} {
		parent := t.TempDir()
		dir := filepath.Join(parent, "ws")
		f.reuse(commit, dir)
		if err := os.WriteFile(filepath.Join(dir, "a"), []byte("b"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(parent, ".ws.quire-record"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		f.reuse(commit, dir)
		checkSame(t, f.checkout(commit), dir)
	}
}

// Trees that did not change are read from the record, and from nowhere but where it has
// what their ids are of.
func TestReuseReadsTreesFromRecord(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			f := newFixture(t, "--object-format="+format)
			files := map[string]string{"100644 dir/sub/a": "a", "100755 dir/b": "b", "100644 c": "c"}
			first := f.commitOf(files)
			files["100644 c"] = "changed"
			second := f.commitOf(files)
			want := f.checkout(second)
			parent := t.TempDir()
			dir, record := filepath.Join(parent, "ws"), filepath.Join(parent, ".ws.quire-record")
			f.reuse(first, dir)
			honest, err := os.ReadFile(record)
			if err != nil {
				t.Fatal(err)
			}
			tree := f.git("", "rev-parse", first+":dir/sub")
			object := filepath.Join(f.dir, "objects", tree[:2], tree[2:])
			for _, tt := range []struct {
				name, record string
				there        bool // whether git has the tree
			}{
				{"git is not asked", string(honest), false},
				{"another tree under its id", strings.Replace(string(honest), "a\x00", "x\x00", 1), true},
				{"cut short", string(honest[:len(honest)-1]), true},
				{"another length", strings.ReplaceAll(string(honest), "tree ", "tree 1"), true},
				{"a length below nothing", strings.ReplaceAll(string(honest), "tree ", "tree -"), true},
			} {
				if !tt.there {
					if err := os.Rename(object, object+".away"); err != nil {
						t.Fatal(err)
					}
				} else if tt.record == string(honest) {
					t.Fatalf("%s: the record is the same", tt.name)
				}
				if err := os.WriteFile(record, []byte(tt.record), 0o600); err != nil {
					t.Fatal(err)
				}
				f.reuse(second, dir)
				checkSame(t, want, dir)
				if !tt.there {
					if err := os.Rename(object+".away", object); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
}

func TestReuseFailure(t *testing.T) {
	f := newFixture(t)
	commit := f.commitOf(map[string]string{"100644 a": "a"})
	dir := filepath.Join(t.TempDir(), "ws")
	f.reuse(commit, dir)
	// Of a commit that is not there, the workspace knows nothing.
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
	// A job that changes what is ignored does not change what is kept.
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

// What attributes change is written again when it was touched, when its attributes are
// others, and each time where a program changes it.
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
			found[name] = newStamp(&st)
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
	check("other attributes", third, fourth, "a.bat", "d.st", "dir/b.bat")
	f.git("", "config", "core.autocrlf", "true")
	check("other configuration", fourth, stamps(), "a.bat", "c.id", "d.st", "dir/b.bat")
}
