package git

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"testing"
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
			for name, mode := range map[string]fs.FileMode{
				".quire": fs.ModeDir | 0o755, ".quire/ci.fnl": 0o644, "lib": fs.ModeDir | 0o755, "lib/deep/file": 0o644,
				"lib.c": 0o644, "new\nline": 0o644, "sub": fs.ModeDir | 0o755,
			} {
				if info, err := tree.Lstat(name); err != nil || info.Mode() != mode || info.Name() != path.Base(name) {
					t.Errorf("Lstat(%q): %v, %v", name, info, err)
				}
			}
			if info, err := tree.Lstat("lib/deep/file"); err != nil || info.Size() != 4 {
				t.Errorf("size: %v, %v", info, err)
			}
			data, err := fs.ReadFile(tree, "new\nline")
			if err != nil || string(data) != "odd" {
				t.Errorf("ReadFile: %q %v", data, err)
			}
		})
	}
}

func TestTreeFollowsNoLinks(t *testing.T) {
	f := newFixture(t)
	f.write("dir/file", "text")
	for name, target := range map[string]string{"link": "dir/file", "dirlink": "dir"} {
		id := f.gitIn(target, "hash-object", "-w", "--stdin")
		f.git("update-index", "--add", "--cacheinfo", "120000,"+id+","+name)
	}
	f.git("add", "dir/file")
	f.git("commit", "-q", "-m", "one")
	tree := f.objects().Tree("HEAD")
	for _, name := range []string{"link", "dirlink"} {
		if info, err := tree.Lstat(name); err != nil || info.Mode().Type() != fs.ModeSymlink {
			t.Errorf("Lstat(%q): %v, %v", name, info, err)
		}
		if _, err := tree.Open(name); err == nil {
			t.Errorf("%s was opened", name)
		}
	}
	if _, err := tree.Lstat("dirlink/file"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("below a link: %v", err)
	}
}

func TestTreeErrors(t *testing.T) {
	f := newFixture(t)
	f.write("dir/file", "text")
	f.commit("one")
	o := f.objects()
	for _, name := range []string{"none", "dir/none", "dir/file/none", "none/file"} {
		if _, err := o.Tree("HEAD").Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"../x", "/dir", ""} {
		if _, err := o.Tree("HEAD").Lstat(name); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("invalid path %q: %v", name, err)
		}
	}
	if _, err := o.Tree("HEAD").Open("dir"); err == nil {
		t.Error("a directory was read")
	}
	if _, err := o.Tree("none").Lstat("dir"); !errors.Is(err, ErrMissing) {
		t.Errorf("missing commit: %v", err)
	}
	dir := f.git("rev-parse", "HEAD:dir")
	if err := os.Remove(f.looseFile(dir)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.objects().Tree("HEAD").Lstat("dir/file"); !errors.Is(err, ErrMissing) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a tree that is lost: %v", err)
	}
}
