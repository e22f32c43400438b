package git

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

func TestTree(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			f := newFixture(t, "--object-format="+format)
			f.write(".quire/ci.fnl", "(ci)")
			f.write("lib/deep/file", "deep")
			f.write("lib.c", "c")
			f.write("new\nline", "odd")
			commit := f.commit("one")
			f.git("update-index", "--add", "--cacheinfo", "160000,"+commit+",sub")
			f.git("commit", "-q", "-m", "submodule")
			tree := f.objects().Tree("HEAD")
			if err := fstest.TestFS(tree, ".quire/ci.fnl", "lib/deep/file", "lib.c", "new\nline", "sub"); err != nil {
				t.Error(err)
			}
			data, err := fs.ReadFile(tree, "new\nline")
			if err != nil || string(data) != "odd" {
				t.Errorf("ReadFile: %q %v", data, err)
			}
		})
	}
}

func TestTreeLinks(t *testing.T) {
	f := newFixture(t)
	f.write("dir/file", "text")
	link := func(target string) string { return f.gitIn(target, "hash-object", "-w", "--stdin") }
	for name, target := range map[string]string{
		"good": "dir/file", "dir/up": "../dir/./file", "dirlink": "dir", "chain": "good",
		"absolute": "/etc/passwd", "out": "../secret", "loop": "loop", "dangling": "none",
		"through": "dir/file/x",
	} {
		f.git("update-index", "--add", "--cacheinfo", "120000,"+link(target)+","+name)
	}
	f.git("add", "dir/file")
	f.git("commit", "-q", "-m", "one")
	tree := f.objects().Tree("HEAD")
	for _, name := range []string{"good", "dir/up", "dirlink/file", "chain", "dirlink/up"} {
		data, err := fs.ReadFile(tree, name)
		if err != nil || string(data) != "text" {
			t.Errorf("%s: %q %v", name, data, err)
		}
	}
	for _, name := range []string{"absolute", "out", "dangling", "through"} {
		if _, err := fs.ReadFile(tree, name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := fs.ReadFile(tree, "loop"); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("loop: %v", err)
	}
	if got, err := fs.ReadLink(tree, "out"); err != nil || got != "../secret" {
		t.Errorf("ReadLink: %q %v", got, err)
	}
	if info, err := fs.Lstat(tree, "good"); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("Lstat: %v %v", info, err)
	}
}

func TestTreeErrors(t *testing.T) {
	f := newFixture(t)
	f.write("dir/file", "text")
	f.commit("one")
	o := f.objects()
	for _, name := range []string{"none", "dir/none", "dir/file/none"} {
		if _, err := fs.Stat(o.Tree("HEAD"), name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := fs.Stat(o.Tree("HEAD"), "../x"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("invalid path: %v", err)
	}
	if _, err := fs.ReadFile(o.Tree("HEAD"), "dir"); err == nil {
		t.Error("a directory was read")
	}
	if _, err := fs.Stat(o.Tree("none"), "dir"); !errors.Is(err, ErrMissing) {
		t.Errorf("missing commit: %v", err)
	}
}
