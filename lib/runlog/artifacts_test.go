package runlog

import (
	"os"
	"path/filepath"
	"testing"
)

// TestCopyArtifacts checks that a copy that fails leaves no artifacts, and no part of one.
func TestCopyArtifacts(t *testing.T) {
	for most, want := range map[int64]int{0: 2, 1 << 20: 2, 1000: 0} {
		dir, out := t.TempDir(), t.TempDir()
		from := filepath.Join(dir, filepath.FromSlash(ArtifactsPath("build")))
		if err := os.MkdirAll(from, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "b"} {
			if err := os.WriteFile(filepath.Join(from, name), make([]byte, 900), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		size, err := CopyArtifacts(t.Context(), dir, "build", out, most)
		found := 0
		if err := Artifacts(out, "build", func(Artifact) error { found++; return nil }); err != nil {
			t.Error(err)
		}
		if found != want || (err == nil) != (want > 0) || err == nil && size != 1800 {
			t.Errorf("with at most %d bytes: %d artifacts, %d bytes, %v", most, found, size, err)
		}
	}
}
