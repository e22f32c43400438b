package file

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func openIn(t *testing.T, name string) *os.File {
	t.Helper()
	f, err := OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestTryLock(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	for _, test := range []struct {
		name          string
		first, second Access
		at            int64 // of the second
		want          error
		locked        bool
	}{
		{"exclusive", Exclusive, Exclusive, 0, ErrBusy, true},
		{"shared and exclusive", Shared, Exclusive, 0, ErrBusy, false},
		{"exclusive and shared", Exclusive, Shared, 0, ErrBusy, true},
		{"shared", Shared, Shared, 0, nil, false},
		{"another byte", Exclusive, Exclusive, 1, nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			first, second := openIn(t, name), openIn(t, name)
			if err := TryLock(first, 0, test.first); err != nil {
				t.Fatal(err)
			}
			if held, err := Locked(name, 0); held != test.locked || err != nil {
				t.Errorf("Locked: %v, %v, want %v", held, err, test.locked)
			}
			if err := TryLock(second, test.at, test.second); !errors.Is(err, test.want) {
				t.Errorf("TryLock: %v, want %v", err, test.want)
			}
			if err := Unlock(first, 0); err != nil {
				t.Error(err)
			}
			if err := TryLock(second, 0, test.second); err != nil {
				t.Errorf("after Unlock: %v", err)
			}
		})
	}
	if held, err := Locked(name+"x", 0); held || err != nil {
		t.Errorf("Locked of no file: %v, %v", held, err)
	}
}

// Both kinds of lock work between descriptors of one process, on files and on directories.
func TestFlock(t *testing.T) {
	dir := t.TempDir()
	open := func() *os.File {
		f, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	first, second := open(), open()
	defer second.Close()
	if err := TryFlock(first); err != nil {
		t.Fatal(err)
	}
	if err := TryFlock(second); !errors.Is(err, ErrBusy) {
		t.Errorf("TryFlock of a locked directory: %v", err)
	}
	taken := make(chan error)
	go func() { taken <- Flock(second) }()
	first.Close()
	if err := <-taken; err != nil {
		t.Errorf("Flock of an unlocked directory: %v", err)
	}
	f, err := os.Open("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := Flock(f); err == nil {
		t.Error("Flock of a closed file succeeds")
	}
}

// A waiter gets the file that has the name when the lock is free.
func TestOpenLockedReplaced(t *testing.T) {
	dir := t.TempDir()
	name, other := filepath.Join(dir, "f"), filepath.Join(dir, "other")
	if err := errors.Join(Write(name, []byte("old"), 0o600), Write(other, []byte("new"), 0o600)); err != nil {
		t.Fatal(err)
	}
	first, err := OpenLocked(name)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string)
	go func() {
		f, err := OpenLocked(name)
		if err != nil {
			got <- err.Error()
			return
		}
		defer f.Close()
		content, _ := io.ReadAll(f)
		got <- string(content)
	}()
	if err := os.Rename(other, name); err != nil {
		t.Fatal(err)
	}
	first.Close()
	if text := <-got; text != "new" {
		t.Errorf("a waiter has %q", text)
	}
	if _, err := OpenLocked(filepath.Join(dir, "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("OpenLocked of no file: %v", err)
	}
}
