package runstore

import (
	"os"
	"path/filepath"
	"testing"
)

// Leftovers of a killed creation are removed with the workspace; the target of a link
// stays.
func TestRemoveWorkspace(t *testing.T) {
	s := open(t)
	r := create(t, s, facts("a[b]", "refs/heads/main"))[0]
	kept := t.TempDir()
	if err := os.Symlink(kept, filepath.Join(r.Dir, WorkspaceDir)); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(r.Dir, ".workspace.quire-123", "tree")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing
		if err := r.RemoveWorkspace(); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		switch e.Name() {
		case factsFile, historyFile, lockFile:
		default:
			t.Errorf("'%s' is left", e.Name())
		}
	}
	if !isDir(kept) {
		t.Error("what the link led to is gone")
	}
}
