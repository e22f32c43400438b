package workspace

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Directories and files get the attributes of fresh ones again: those that decide who can
// use them and which attributes new files get.
func TestReuseAttributes(t *testing.T) {
	f := newFixture(t)
	commit := f.commitOf(map[string]string{"100644 file": "f", "100644 dir/sub/a": "a", "100644 dir/b": "b"})
	acl := binary.LittleEndian.AppendUint32(nil, 2) // rwx for all, see acl(5)
	for _, tag := range []uint16{1, 4, 0x20} {
		acl = binary.LittleEndian.AppendUint16(acl, tag)
		acl = binary.LittleEndian.AppendUint16(acl, 7)
		acl = binary.LittleEndian.AppendUint32(acl, 0xffffffff)
	}
	attribute := func(name, key string, value []byte) func(string) error {
		return func(dir string) error { return unix.Lsetxattr(filepath.Join(dir, name), key, value, 0) }
	}
	flag := func(name string, flag uint32) func(string) error {
		return func(dir string) error {
			d, err := os.Open(filepath.Join(dir, name))
			if err != nil {
				return err
			}
			defer d.Close()
			flags, err := unix.IoctlGetUint32(int(d.Fd()), unix.FS_IOC_GETFLAGS)
			if err != nil {
				return err
			}
			return unix.IoctlSetPointerInt(int(d.Fd()), unix.FS_IOC_SETFLAGS, int(flags|flag))
		}
	}
	const noAtime = 0x80 // FS_NOATIME_FL
	for name, spoil := range map[string]func(dir string) error{
		"attribute of a file":        attribute("file", "user.x", []byte("x")),
		"attribute of a directory":   attribute("dir", "user.x", []byte("x")),
		"attribute far down":         attribute("dir/sub", "user.x", nil),
		"attribute of the workspace": attribute(".", "user.x", []byte("x")),
		"default access list":        attribute("dir", "system.posix_acl_default", acl),
		"default access list of all": attribute(".", "system.posix_acl_default", acl),
		"flag of a directory":        flag("dir/sub", noAtime),
		"flag of the workspace":      flag(".", noAtime),
		"flag of a file":             flag("file", noAtime),
		"sticky directory":           func(d string) error { return unix.Chmod(d+"/dir", 0o1777) },
		"open workspace":             func(d string) error { return unix.Chmod(d, 0o777) },
		"file that others write":     func(d string) error { return unix.Chmod(d+"/file", 0o666) },
		"owner of a directory":       func(d string) error { return os.Chown(d+"/dir", 4242, -1) },
		"group of a directory":       func(d string) error { return os.Chown(d+"/dir/sub", -1, 4242) },
		"owner of a file":            func(d string) error { return os.Chown(d+"/file", 4242, -1) },
		"directory with old ones moved": func(d string) error { // ctime of b/sub is older than the index
			return errors.Join(os.RemoveAll(d+"/dir"), os.Rename(filepath.Dir(d)+"/old", d+"/dir"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fixture{t: t, dir: f.dir}
			parent := t.TempDir()
			dir, old := filepath.Join(parent, "ws"), filepath.Join(parent, "old")
			if err := errors.Join(os.MkdirAll(old+"/sub", 0o755), attribute("sub", "user.x", nil)(old)); err != nil {
				t.Skipf("this file system has no attributes: %v", err)
			}
			awaitTick(t, parent)
			f.reuse(commit, dir)
			fresh := traitsBelow(t, dir)
			awaitTick(t, parent)
			if err := spoil(dir); errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EPERM) {
				t.Skip(err)
			} else if err != nil {
				t.Fatal(err)
			}
			if slices.Equal(traitsBelow(t, dir), fresh) {
				t.Skip("this file system did not take it")
			}
			f.reuse(commit, dir)
			checkSame(t, f.checkout(commit), dir)
			if got := traitsBelow(t, dir); !slices.Equal(got, fresh) {
				t.Errorf("got %+v, want %+v", got, fresh)
			}
		})
	}
}

// traitsBelow returns the traits of dir and everything below it, in order.
func traitsBelow(t *testing.T, dir string) (list []traits) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		of, _, err := traitsOf(int(f.Fd()))
		list = append(list, of)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// A workspace with a mount in it is written again. The mounted files do not change. A
// directory that cannot be removed is passed to Left, or named in the error.
func TestReuseMounts(t *testing.T) {
	f := newFixture(t)
	first := f.commitOf(map[string]string{"100644 file": "f", "100644 dir/a": "a"})
	second := f.commitOf(map[string]string{"100644 file": "g", "100644 dir/a": "a"})
	for name, target := range map[string]string{
		"a directory of the tree": "dir", "a directory of the job": "new", "a file": "file", "a file of the job": "other",
	} {
		for _, keep := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				f := &fixture{t: t, dir: f.dir}
				parent, outside := t.TempDir(), t.TempDir()
				dir := filepath.Join(parent, "ws")
				f.reuse(first, dir)
				source := outside
				err := errors.Join(os.MkdirAll(dir+"/new", 0o755), os.WriteFile(dir+"/other", nil, 0o644), os.WriteFile(outside+"/file", nil, 0o644))
				if strings.Contains(name, "file") {
					source += "/file"
				}
				if err != nil {
					t.Fatal(err)
				}
				if err := unix.Mount(source, filepath.Join(dir, target), "", unix.MS_BIND, ""); err != nil {
					t.Skipf("cannot mount here: %v", err)
				}
				aside := filepath.Join(t.TempDir(), "aside")
				defer unix.Unmount(filepath.Join(aside, target), unix.MNT_DETACH)
				o := Options{Reuse: true, KeepIgnored: keep, Left: func(path string, err error) {
					if !strings.HasSuffix(err.Error(), target+"': it is a mount point") {
						t.Errorf("left: %v", err)
					}
					if err := os.Rename(path, aside); err != nil {
						t.Error(err)
					}
				}}
				if err := Materialize(context.Background(), f.open(), second, dir, o); err != nil {
					t.Fatal(err)
				}
				checkSame(t, f.checkout(second), dir)
				checkNoLeftovers(t, parent)
				if _, err := os.Stat(outside + "/file"); err != nil {
					t.Error(err)
				}
				if names, err := readNames(aside); err != nil || len(names) != 1 {
					t.Errorf("aside: %q %v", names, err)
				}
			})
		}
	}
}

// Files of a job from which Git would read rules have no effect, even if Git ignores them.
func TestKeepIgnoredRules(t *testing.T) {
	f := newFixture(t)
	files := map[string]string{"100644 .gitignore": ".gitattributes\n*.o\n", "100644 dir/a": "a\n"}
	first := f.commitOf(files)
	files["100644 dir/b"], files["100644 late/c"] = "b\n", "c\n"
	second := f.commitOf(files)
	dir := filepath.Join(t.TempDir(), "ws")
	f.reuse(first, dir)
	err := os.Mkdir(dir+"/late", 0o755)
	for _, where := range []string{"", "dir", "late"} {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, where, attributeFile), []byte("* text eol=crlf\n"), 0o644),
			os.WriteFile(filepath.Join(dir, where, "x.o"), nil, 0o644))
	}
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Reuse: true, KeepIgnored: true}
	if err := Materialize(context.Background(), f.open(), second, dir, o); err != nil {
		t.Fatal(err)
	}
	got := snapshot(t, dir)
	for _, name := range []string{"x.o", "dir/x.o", "late/x.o"} {
		if _, ok := got[name]; !ok {
			t.Errorf("%s is gone", name)
		}
		delete(got, name)
	}
	for name, want := range snapshot(t, f.checkout(second)) {
		if got[name] != want {
			t.Errorf("%s is %s, want %s", name, got[name], want)
		}
		delete(got, name)
	}
	for name := range got {
		t.Errorf("%s is there", name)
	}
}

// Configuration for people's working copies has no effect.
func TestConfigurationOfWorkingCopies(t *testing.T) {
	f := newFixture(t)
	first := f.commitOf(map[string]string{"120000 link": "a", "100755 run": "r", "100644 a": "a", "160000 sub": long(40, "1")})
	second := f.commitOf(map[string]string{"120000 link": "b", "100644 run": "r", "100644 dir/a": "a"})
	want := map[string]string{first: f.checkout(first), second: f.checkout(second)}
	for _, key := range []string{"core.symlinks", "core.fileMode", "core.trustctime", "core.protectHFS", "core.protectNTFS"} {
		f.git("", "config", key, "false")
	}
	for _, key := range []string{"core.splitIndex", "core.untrackedCache", "core.sparseCheckout", "core.sparseCheckoutCone",
		"index.sparse", "feature.manyFiles", "submodule.recurse", "core.fsmonitor"} {
		f.git("", "config", key, "true")
	}
	f.git("", "config", "core.checkStat", "minimal")
	f.git("", "config", "core.worktree", t.TempDir())
	before := snapshot(t, f.dir)
	dir := filepath.Join(t.TempDir(), "ws")
	for _, commit := range []string{first, second, first} {
		f.reuse(commit, dir)
		checkSame(t, want[commit], dir)
	}
	if after := snapshot(t, f.dir); len(before) != len(after) {
		t.Error("the repository was written to")
	}
}
