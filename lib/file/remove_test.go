package file

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// hostileTree makes a directory that is hard to delete, with links to a directory that must
// stay, which is returned too.
func hostileTree(t *testing.T, depth int) (dir, stays string) {
	t.Helper()
	dir, stays = filepath.Join(t.TempDir(), "dir"), t.TempDir()
	fail := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	fail(os.WriteFile(filepath.Join(stays, "file"), nil, 0o600))
	fail(os.MkdirAll(filepath.Join(dir, "a/b"), 0o700))
	fail(os.Symlink(stays, filepath.Join(dir, "a/b/link")))
	fail(os.Symlink(stays, filepath.Join(dir, "link")))
	fail(unix.Mkfifo(filepath.Join(dir, "a/pipe"), 0))
	at, err := unix.Open(dir, unix.O_RDONLY, 0)
	fail(err)
	for range depth {
		fail(unix.Mkdirat(at, "d", 0o700))
		fail(unix.Mkdirat(at, "e", 0o700))
		next, err := unix.Openat(at, "d", unix.O_RDONLY, 0)
		fail(err)
		unix.Close(at)
		at = next
	}
	fail(unix.Symlinkat(stays, at, "far"))
	unix.Close(at)
	for _, locked := range []string{"a/b", "a", "."} {
		fail(os.Chmod(filepath.Join(dir, locked), 0))
	}
	return dir, stays
}

func TestRemoveTree(t *testing.T) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	few := limit
	few.Cur = 100
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	for name, depth := range map[string]int{"flat": 0, "deeper than files can be open": 200, "deeper than paths are long": unix.PathMax/2 + 10} {
		t.Run(name, func(t *testing.T) {
			dir, stays := hostileTree(t, depth)
			if err := RemoveTree(dir); err != nil {
				t.Fatal(strings.ReplaceAll(err.Error(), "/d/d", ""))
			}
			if exists(dir) || !exists(filepath.Join(stays, "file")) {
				t.Error("too little or too much is gone")
			}
		})
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// RemoveTree names the paths that it cannot remove, removes the rest, and changes nothing
// outside the tree.
func TestRemoveTreeLeaves(t *testing.T) {
	type scene struct{ dir, outside string }
	bind := func(what, where string) error { return unix.Mount(what, where, "", unix.MS_BIND, "") }
	for _, tt := range []struct {
		name, where string
		spoil       func(s scene) error
		mounted     string // relative to dir
		left        string
	}{
		{"directory of the same file system", "", func(s scene) error { return bind(s.outside, s.dir+"/a/b") }, "a/b", "a/b"},
		{"file", "", func(s scene) error { return bind(s.outside+"/file", s.dir+"/a/file") }, "a/file", "a/file"},
		{"other file system", "", func(s scene) error { return unix.Mount("tmpfs", s.dir+"/a/b", "tmpfs", 0, "size=64k") }, "a/b", "a/b"},
		{"the directory itself", "", func(s scene) error { return bind(s.outside, s.dir) }, ".", ""},
		{"far down", strings.Repeat("d/", 2*maxOpen), func(s scene) error {
			return bind(s.outside, s.dir+"/"+strings.Repeat("d/", 2*maxOpen)+"m")
		}, strings.Repeat("d/", 2*maxOpen) + "m", "m"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := scene{filepath.Join(t.TempDir(), "dir"), t.TempDir()}
			err := errors.Join(os.MkdirAll(s.dir+"/a/b", 0o700), os.MkdirAll(s.dir+"/z/y", 0o700),
				os.MkdirAll(s.dir+"/"+tt.where+"/m", 0o700),
				os.WriteFile(s.outside+"/file", nil, 0o600), os.WriteFile(s.dir+"/a/file", nil, 0o600))
			if err != nil {
				t.Fatal(err)
			}
			if err := tt.spoil(s); errors.Is(err, unix.EPERM) {
				t.Skip("cannot mount here")
			} else if err != nil {
				t.Fatal(err)
			}
			points, err := MountsBelow(filepath.Dir(s.dir))
			if err != nil || len(points) != 1 || points[0] != filepath.Join(s.dir, tt.mounted) {
				t.Errorf("mount points %q, %v", points, err)
			}
			err = RemoveTree(s.dir)
			for _, point := range points {
				defer unix.Unmount(point, unix.MNT_DETACH)
			}
			var left *leftError
			if !errors.As(err, &left) || !errors.Is(err, errMounted) || !strings.Contains(err.Error(), tt.left+"': it is a mount point") {
				t.Errorf("error %v", err)
			}
			if !exists(s.outside+"/file") || tt.mounted != "." && exists(s.dir+"/z") {
				t.Error("too little or too much is gone")
			}
			// Deep directories moved: find the mount again.
			points, err = MountsBelow(filepath.Dir(s.dir))
			if err != nil || len(points) != 1 {
				t.Fatalf("mount points %q, %v", points, err)
			}
			if err := unix.Unmount(points[0], unix.MNT_DETACH); err != nil {
				t.Fatal(err)
			}
			if err := RemoveTree(s.dir); err != nil || exists(s.dir) {
				t.Errorf("without the mount: %v", err)
			}
		})
	}
}

// A link is removed, and its target stays. A path that does not exist is no error.
func TestRemoveTreeOfOthers(t *testing.T) {
	stays, top := t.TempDir(), t.TempDir()
	link, file := filepath.Join(top, "link"), filepath.Join(top, "file")
	if err := errors.Join(os.Symlink(stays, link), os.WriteFile(file, nil, 0)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, link, file, file, top + "/none/none"} {
		if err := RemoveTree(path); err != nil || exists(path) || !exists(stays) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// Many names, and more of them than a leftError lists.
func TestRemoveTreeOfMany(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dir")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range 5000 {
		if err := os.WriteFile(fmt.Sprintf("%s/%d", dir, i), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i := range maxLeft + 2 {
		name := fmt.Sprintf("%s/%d", dir, i)
		if err := unix.Mount(name, name, "", unix.MS_BIND, ""); err != nil {
			t.Skipf("cannot mount here: %v", err)
		}
		defer unix.Unmount(name, unix.MNT_DETACH)
	}
	err := RemoveTree(dir)
	if err == nil || strings.Count(err.Error(), "mount point") != maxLeft || !strings.HasSuffix(err.Error(), "; and others") {
		t.Errorf("error %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != maxLeft+2 {
		t.Errorf("left %d: %v", len(entries), err)
	}
}
