package file

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	name, temporary := filepath.Join(dir, "f"), filepath.Join(dir, "f.new")
	writing := func(content string, err error) func(*os.File) error {
		return func(f *os.File) error {
			_, failed := f.WriteString(content)
			return errors.Join(failed, err)
		}
	}
	for _, test := range []struct {
		content string
		fail    error
		want    string
	}{
		{"first and long", nil, "first and long"},
		{"second", nil, "second"},
		{"third", unix.ENOSPC, "second"},
		{"", nil, ""},
	} {
		// What a killed process left must not be followed or kept.
		if err := os.Symlink(filepath.Join(dir, "elsewhere"), temporary); err != nil {
			t.Fatal(err)
		}
		if err := Replace(name, temporary, 0o640, writing(test.content, test.fail)); !errors.Is(err, test.fail) {
			t.Errorf("Replace: %v, want %v", err, test.fail)
		}
		got, err := os.ReadFile(name)
		if string(got) != test.want || err != nil {
			t.Errorf("%q, %v, want %q", got, err, test.want)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 1 {
			t.Errorf("%d files after %q, want 1", len(entries), test.content)
		}
	}
	if info, err := os.Stat(name); err != nil || info.Mode() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := Replace(dir+"/no/f", dir+"/no/f.new", 0o600, writing("", nil)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Replace in no directory: %v", err)
	}
}

func TestNameless(t *testing.T) {
	f, err := Nameless("test", []byte("content"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if content, err := io.ReadAll(f); string(content) != "content" || err != nil {
		t.Errorf("%q, %v", content, err)
	}
	for _, inherited := range []bool{false, true} {
		if inherited {
			if err := Inherit(f); err != nil {
				t.Fatal(err)
			}
		}
		flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFD, 0)
		if kept := flags&unix.FD_CLOEXEC == 0; kept != inherited || err != nil {
			t.Errorf("stays open across execve: %v, %v, want %v", kept, err, inherited)
		}
	}
}
