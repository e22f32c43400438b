package owner

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestForeign(t *testing.T) {
	if name, err := Foreign(t.TempDir()); name != "" || err != nil {
		t.Errorf("own directory: %q, %v", name, err)
	}
	if _, err := Foreign(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if os.Geteuid() != 0 {
		if name, err := Foreign("/"); name != "root" || err != nil {
			t.Errorf("/: %q, %v", name, err)
		}
		return
	}
	for uid, want := range map[int]string{0: "", 4242424: "4242424"} {
		path := filepath.Join(t.TempDir(), "file")
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chown(path, uid, -1)); err != nil {
			t.Fatal(err)
		}
		if name, err := Foreign(path); name != want || err != nil {
			t.Errorf("file of user %d: %q, %v", uid, name, err)
		}
	}
}
