package runstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// tiny mounts a file system of some pages. Only root may do so.
func tiny(t *testing.T, pages int) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, fmt.Sprintf("size=%d", pages*os.Getpagesize())); err != nil {
		t.Skipf("a full disk is not tested: cannot mount one: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// fill fills the file system except for some pages.
func fill(t *testing.T, dir string, free int) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, os.Getpagesize())
	var size int64
	for err == nil {
		_, err = f.Write(page)
		size += int64(len(page))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	if err := f.Truncate(max(0, size-int64(len(page)*(free+1)))); err != nil {
		t.Fatal(err)
	}
}

// At whatever write the disk becomes full, acknowledged runs exist, others are gone, and
// the next try works.
func TestFullDisk(t *testing.T) {
	failed := 0
	for free := range 12 {
		dir := tiny(t, 64)
		s, err := Open(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		r := create(t, s, facts("a", "r"))[0]
		fill(t, dir, free)
		before := list(t, s, Filter{})
		if made, err := s.Create(facts("b", "r"), facts("b", "r")); err == nil {
			for _, r := range made {
				before = append([]string{r.ID + " pending"}, before...)
			}
		} else if failed++; !errors.Is(err, unix.ENOSPC) {
			t.Errorf("%d pages free: create: %v", free, err)
		}
		if got := list(t, s, Filter{}); len(got) != len(before) {
			t.Errorf("%d pages free: listed %v, want %v", free, got, before)
		}
		err = r.Transition(Change{State: Complete})
		if err != nil {
			if failed++; !errors.Is(err, unix.ENOSPC) {
				t.Errorf("%d pages free: transition: %v", free, err)
			}
		}
		if status, statusErr := r.Status(); statusErr != nil || (status.State == Complete) != (err == nil) {
			t.Errorf("%d pages free: state %s after %v", free, status.State, err)
		}
		os.Remove(filepath.Join(dir, "filler"))
		if err == nil {
			if _, err := s.Reconcile(0); err != nil {
				t.Fatal(err)
			}
		} else {
			change(t, r, Change{State: Complete})
		}
		create(t, s, facts("c", "r"))
		sound(t, s)
	}
	if failed == 0 {
		t.Error("the disk was never full")
	}
}

func TestReadOnlyRoot(t *testing.T) {
	dir := tiny(t, 64)
	s, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := create(t, s, facts("a", "r"))[0]
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(dir, nil); err != nil {
		t.Fatalf("a store that exists cannot be read: %v", err)
	}
	if got := list(t, s, Filter{}); len(got) != 1 {
		t.Errorf("listed %v", got)
	}
	if _, err := s.Create(facts("a", "r")); !errors.Is(err, unix.EROFS) {
		t.Errorf("create: %v", err)
	}
	if err := r.Transition(Change{State: Active}); !errors.Is(err, unix.EROFS) {
		t.Errorf("transition: %v", err)
	}
}
