package test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestUninstall checks that make uninstall removes exactly the files that make install
// installed.
func TestUninstall(t *testing.T) {
	slow(t) // and not beside others, since it builds in bin/ as they may
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
		least  int // number of files
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

// TestInstall checks that make install only copies files that make has built, with a few
// lines of output, and that it refuses wrong settings with one line.
func TestInstall(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, prefix string
		want         string // in its output; "" if it installs
	}{
		{"without go", "/usr", ""},
		{"a slash at the end", "/opt/quire/", ""},
		{"relative", "usr", "install: PREFIX 'usr': must begin with a slash\n"},
		{"none", "", "install: PREFIX '': must begin with a slash\n"},
		{"a space", "/opt/my quire", "install: PREFIX '/opt/my quire': has a character that is special to the shell\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dest := t.TempDir()
			cmd := exec.Command("make", "--no-print-directory", "-C", "..", "install", "GO=/nowhere/go", "DESTDIR="+dest, "PREFIX="+test.prefix)
			out, err := cmd.CombinedOutput()
			if test.want != "" {
				if err == nil || !strings.HasPrefix(string(out), test.want) || len(filesBelow(t, dest)) > 0 {
					t.Errorf("%v\n%s", err, out)
				}
				return
			}
			if err != nil || strings.Count(string(out), "\n") > 3 {
				t.Fatalf("%v\n%s", err, out)
			}
			prefix := strings.TrimSuffix(test.prefix, "/")
			hook := read(t, filepath.Join(dest, prefix, "share/quire/hooks/post-receive"))
			if !strings.Contains(hook, "PATH=$PATH:"+prefix+"/bin ") {
				t.Errorf("the hook does not name %s:\n%s", prefix, hook)
			}
			if info, err := os.Stat(filepath.Join(dest, prefix, "bin/quire-ci")); err != nil || info.Mode().Perm() != 0o755 {
				t.Errorf("quire-ci: %v, %v", info, err)
			}
		})
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
