package test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestUninstall wants make uninstall to leave nothing of what make install brought,
// and all that others have beside it.
func TestUninstall(t *testing.T) {
	slow(t) // and not beside others, since it builds in bin/ as they may do
	dest := t.TempDir()
	others := []string{"usr/bin/other", "usr/share/man/man1/other.1", "usr/share/zsh/site-functions/_other"}
	for _, name := range others {
		path := filepath.Join(dest, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		target string
		least  int // files
	}{{"install", len(others) + 30}, {"install", len(others) + 30}, {"uninstall", len(others)}, {"uninstall", len(others)}} {
		cmd := exec.Command("make", "-s", "-C", "..", test.target, "DESTDIR="+dest, "PREFIX=/usr")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("make %s: %v\n%s", test.target, err, out)
		}
		files := filesBelow(t, dest)
		if len(files) < test.least || test.target == "uninstall" && len(files) > test.least {
			t.Errorf("after make %s there are:\n%s", test.target, strings.Join(files, "\n"))
		}
	}
}

func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
