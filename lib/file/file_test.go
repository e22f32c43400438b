package file

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A mistake in opening has the type, operation and cause that it has with package os.
func TestErrors(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{filepath.Join(dir, "absent"), "", "a\x00b"} {
		_, err := OpenFile(name, os.O_RDWR, 0)
		_, want := os.OpenFile(name, os.O_RDWR, 0)
		if err == nil || want == nil || err.Error() != want.Error() {
			t.Errorf("OpenFile(%q): %v, with os %v", name, err, want)
		}
	}
	if _, err := Read(dir); !errors.Is(err, unix.EISDIR) {
		t.Errorf("Read of a directory: %v", err)
	}
}

// A new file gets its mode, can be appended to, and is not inherited by a child.
func TestOpenFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	for range 2 {
		f, err := OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("line\n"); err != nil {
			t.Fatal(err)
		}
		if flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFD, 0); err != nil || flags != unix.FD_CLOEXEC {
			t.Errorf("descriptor flags %x, %v", flags, err)
		}
		f.Close()
	}
	text, err := Read(name)
	info, _ := os.Stat(name)
	if string(text) != "line\nline\n" || err != nil || info.Mode() != 0o600 {
		t.Errorf("%q, %v, %v", text, err, info.Mode())
	}
}

func TestWrite(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	for _, text := range []string{"first and long", "second", ""} {
		if err := Write(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(name); string(got) != text || err != nil {
			t.Errorf("%q, %v, want %q", got, err, text)
		}
	}
	if err := Write("/dev/full", []byte("text"), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("Write on a full disk: %v", err)
	}
	if err := Write(name+"/x", nil, 0o600); !errors.Is(err, unix.ENOTDIR) {
		t.Errorf("Write below a file: %v", err)
	}
}

func TestSync(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "f")
	if err := Write(name, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Sync(name, dir); err != nil {
		t.Error(err)
	}
	if err := Sync(name, filepath.Join(dir, "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Sync of nothing: %v", err)
	}
	if err := Sync(name, "/dev/null"); !errors.Is(err, unix.EINVAL) {
		t.Errorf("Sync of a device: %v", err)
	}
}

func newTree(t *testing.T) (dir string, tree *Tree) {
	t.Helper()
	dir = t.TempDir()
	tree, err := OpenTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tree.Close() })
	return dir, tree
}

func TestTree(t *testing.T) {
	dir, tree := newTree(t)
	for _, name := range []string{"a", "sub/b", "sub/deep/c"} {
		path, text := filepath.Join(dir, name), strings.Repeat(name, 1000)
		err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := fs.ReadFile(tree, name); string(got) != text || err != nil {
			t.Errorf("ReadFile(%q): %d bytes, %v", name, len(got), err)
		}
		info, err := fs.Lstat(tree, name)
		if err != nil || info.Name() != filepath.Base(name) || info.Mode() != 0o600 || info.Size() != int64(len(text)) {
			t.Errorf("Lstat(%q): %v, %v", name, info, err)
		}
	}
	if info, err := fs.Lstat(tree, "sub/deep"); err != nil || !info.IsDir() {
		t.Errorf("Lstat of a directory: %v, %v", info, err)
	}
}

// No symbolic link is followed, at any place of a name, and none leads out.
func TestTreeFollowsNoLink(t *testing.T) {
	dir, tree := newTree(t)
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "real"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{
		"out": outside, "file": filepath.Join(outside, "secret"), "in": "real", "real/up": "..", "loop": "loop",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{
		"out/secret", "file", "out", "in", "in/up", "real/up", "real/up/real", "loop", "loop/x",
		"../" + filepath.Base(outside) + "/secret", "/etc/passwd", "real/../file", "", "real//up", "./real", "absent", "absent/x", "a\x00b",
	} {
		f, err := tree.Open(name)
		if err == nil {
			text, _ := io.ReadAll(f)
			t.Errorf("Open(%q) reads %q", name, text)
		}
		if wrong := new(fs.PathError); !errors.As(err, &wrong) || wrong.Path != name || wrong.Op != "open" {
			t.Errorf("Open(%q): %v", name, err)
		}
	}
	for _, name := range []string{"in", "real/up"} {
		info, err := tree.Lstat(name)
		if err != nil || info.Mode().Type() != fs.ModeSymlink || info.Name() != filepath.Base(name) {
			t.Errorf("Lstat(%q): %v, %v", name, info, err)
		}
	}
}

// A Tree keeps its directory, even if another one gets the name.
func TestTreeMoved(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "old")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	tree, err := OpenTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "a"), nil, 0o644), os.Rename(dir, filepath.Join(parent, "new"))); err != nil {
		t.Fatal(err)
	}
	if _, err := tree.Lstat("a"); err != nil {
		t.Error(err)
	}
	if _, err := OpenTree(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("OpenTree of nothing: %v", err)
	}
	if _, err := OpenTree(filepath.Join(parent, "new/a")); !errors.Is(err, unix.ENOTDIR) {
		t.Errorf("OpenTree of a file: %v", err)
	}
}
