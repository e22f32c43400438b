package runstore

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// hostileTree makes a directory that is hard to delete, with links to a directory that
// is to stay, which is returned too.
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

// The way around what os.RemoveAll cannot do takes nothing for granted of that.
func TestRemoveFlat(t *testing.T) {
	dir, stays := hostileTree(t, 10)
	if err := errors.Join(os.Chmod(dir, 0o700), removeFlat(dir)); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 || !exists(filepath.Join(stays, "file")) {
		t.Errorf("left %v, %v", entries, err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := errors.Join(os.Symlink(stays, link), RemoveTree(link)); err != nil || !exists(stays) {
		t.Errorf("a link: %v", err)
	}
}
