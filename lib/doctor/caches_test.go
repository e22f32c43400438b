package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCaches(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(t *testing.T, root string) error
		most uint64
		want string // part of the only problem; "" for none
	}{
		{"none", func(*testing.T, string) error { return nil }, 1, ""},
		{"small", func(t *testing.T, root string) error { return cacheFile(root) }, 10 << 20, ""},
		{"no limit", func(t *testing.T, root string) error { return cacheFile(root) }, 0, ""},
		{"large", func(t *testing.T, root string) error { return cacheFile(root) }, 1 << 10, "more than cache-max, 1KiB"},
		{"a link in place of one", func(t *testing.T, root string) error {
			return os.Symlink("/etc", filepath.Join(root, "cache", "foo.git", "repo"))
		}, 1 << 10, "is no directory of this user"},
		{"a file in place of all", func(t *testing.T, root string) error {
			path := filepath.Join(root, "cache")
			if err := os.RemoveAll(path); err != nil {
				return err
			}
			return os.WriteFile(path, nil, 0o600)
		}, 1, "is not a directory"},
		{"a link that leads nowhere", func(t *testing.T, root string) error {
			path := filepath.Join(root, "cache")
			if err := os.RemoveAll(path); err != nil {
				return err
			}
			return os.Symlink("nowhere", path)
		}, 1, "leads nowhere"},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			if err := os.MkdirAll(filepath.Join(root, "cache", "foo.git"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := test.make(t, root); err != nil {
				t.Fatal(err)
			}
			x := &exam{Installation: Installation{Root: root}}
			x.caches(test.most)
			var wrong []string
			for _, f := range x.findings {
				if f.Wrong != "" {
					wrong = append(wrong, f.Wrong)
					if f.Repair == "" {
						t.Errorf("%q has no repair", f.Wrong)
					}
				}
			}
			got := strings.Join(wrong, "\n")
			if (test.want == "") != (got == "") || !strings.Contains(got, test.want) || len(wrong) > 1 {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// cacheFile writes 100 KiB into the cache of a repository.
func cacheFile(root string) error {
	dir := filepath.Join(root, "cache", "foo.git", "repo")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(dir+".lock", nil, 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "file"), make([]byte, 100<<10), 0o600)
}
