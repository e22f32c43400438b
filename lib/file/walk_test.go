package file_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quire/lib/file"
)

// makeTree makes the tree that a job may leave: files, directories, links, a FIFO, a sparse
// file, and a directory without permissions.
func makeTree(t *testing.T, dir string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(filepath.Join(dir, "a/b"), 0o755))
	must(os.WriteFile(filepath.Join(dir, "a/b/run"), []byte("#!/bin/sh\n"), 0o755))
	must(os.WriteFile(filepath.Join(dir, "a.txt"), []byte("text"), 0o640))
	must(os.Chtimes(filepath.Join(dir, "a.txt"), time.Unix(1, 5), time.Unix(2, 7)))
	must(os.Symlink("/etc", filepath.Join(dir, "etc")))
	must(os.Symlink("a.txt", filepath.Join(dir, "link")))
	must(syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644))
	must(os.WriteFile(filepath.Join(dir, "sparse"), nil, 0o644))
	must(os.Truncate(filepath.Join(dir, "sparse"), 10<<30))
	must(os.Mkdir(filepath.Join(dir, "z"), 0o555))
}

func openDir(t *testing.T, dir string) *os.File {
	t.Helper()
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func list(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := file.Walk(openDir(t, dir), func(e *file.Entry) error {
		size := e.Size
		if !e.Mode.IsRegular() {
			size = 0
		}
		found = append(found, fmt.Sprintf("%s %v %d", e.Path, e.Mode, size))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestWalk(t *testing.T) {
	dir := t.TempDir()
	makeTree(t, dir)
	want := []string{
		"a drwxr-xr-x 0", "a/b drwxr-xr-x 0", "a/b/run -rwxr-xr-x 10", "a.txt -rw-r----- 4", "etc L--------- 0",
		"link L--------- 0", "pipe ?--------- 0", "sparse -rw-r--r-- 10737418240", "z dr-xr-xr-x 0",
	}
	if diff := cmp.Diff(want, list(t, dir)); diff != "" {
		t.Error(diff)
	}
	stop := errors.New("stop")
	if err := file.Walk(openDir(t, dir), func(*file.Entry) error { return stop }); err != stop {
		t.Errorf("got %v, want the error of visit", err)
	}
	if err := os.Chmod(filepath.Join(dir, "a/b"), 0); err != nil {
		t.Fatal(err)
	}
	err := file.Walk(openDir(t, dir), func(e *file.Entry) error {
		if e.Mode.IsRegular() || e.Mode.IsDir() {
			return e.MakeReadable()
		}
		return e.Remove()
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(list(t, dir), "\n"); strings.ContainsAny(got, "L?") || !strings.Contains(got, "a/b dr-x------") {
		t.Errorf("left:\n%s", got)
	}
}

// TestWalkIsBounded walks a tree that would take more descriptors than a process may have.
func TestWalkIsBounded(t *testing.T) {
	top := t.TempDir()
	if err := os.MkdirAll(filepath.Join(top, strings.Repeat("d/", 600)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := file.Walk(openDir(t, top), func(*file.Entry) error { return nil }); err != file.ErrDeep {
		t.Errorf("Walk: %v", err)
	}
	to := t.TempDir()
	if _, err := file.CopyTree(context.Background(), openDir(t, top), openDir(t, to), file.Copy{}); err != file.ErrDeep {
		t.Errorf("CopyTree: %v", err)
	}
}

func TestCopyTree(t *testing.T) {
	from := t.TempDir()
	makeTree(t, from)
	if err := os.Truncate(filepath.Join(from, "sparse"), 100); err != nil {
		t.Fatal(err)
	}
	for _, links := range []bool{true, false} {
		to := t.TempDir()
		if _, err := file.CopyTree(context.Background(), openDir(t, from), openDir(t, to), file.Copy{Links: links}); err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, line := range list(t, from) {
			if !strings.Contains(line, " ?") && (links || !strings.Contains(line, " L")) {
				want = append(want, line)
			}
		}
		if diff := cmp.Diff(want, list(t, to)); diff != "" {
			t.Error(diff)
		}
		info, err := os.Stat(filepath.Join(to, "a.txt"))
		if err != nil || !info.ModTime().Equal(time.Unix(2, 7)) {
			t.Errorf("time of a.txt: %v, %v", info.ModTime(), err)
		}
		if target, _ := os.Readlink(filepath.Join(to, "etc")); links && target != "/etc" {
			t.Errorf("etc leads to %q", target)
		}
	}

	skip, err := os.Stat(filepath.Join(from, "a"))
	if err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	if _, err := file.CopyTree(context.Background(), openDir(t, from), openDir(t, to), file.Copy{Skip: skip}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(filepath.Join(to, "a")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a: %v", err)
	}
	most := file.Copy{Most: 113}
	if _, err := file.CopyTree(context.Background(), openDir(t, from), openDir(t, t.TempDir()), most); err != file.ErrLarge {
		t.Errorf("114 bytes, 113 allowed: %v", err)
	}
	ended, end := context.WithCancel(context.Background())
	end()
	if _, err := file.CopyTree(ended, openDir(t, from), openDir(t, t.TempDir()), file.Copy{}); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

// TestOpenBelow follows no part of the name that is a link.
func TestOpenBelow(t *testing.T) {
	dir := t.TempDir()
	makeTree(t, dir)
	if err := os.Symlink("a", filepath.Join(dir, "c")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{
		"a": nil, "a/b": nil, "c": syscall.ENOTDIR, "c/b": syscall.ENOTDIR, "etc": syscall.ENOTDIR,
		"none/b": fs.ErrNotExist, "a.txt": syscall.ENOTDIR, "pipe": syscall.ENOTDIR,
	} {
		f, err := file.OpenBelow(dir, name)
		if want == nil && err != nil || !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
		f.Close()
	}
}
