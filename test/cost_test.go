package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnusedArtifacts counts the system calls that name the directory of a job that leaves no
// artifacts, in a run with logs. Without artifacts there would be three: two look for the
// directory of the logs, and one makes it.
func TestUnusedArtifacts(t *testing.T) {
	t.Parallel()
	needs(t, "strace")
	dir := t.TempDir()
	trace := filepath.Join(dir, "trace")
	if err := os.Mkdir(filepath.Join(dir, ".quire"), 0o755); err != nil {
		t.Fatal(err)
	}
	pipeline := `local ci = require("quire.ci")
		ci.job("first", {"quire/push"}, function(q) q.sh("true") end) -- also makes jobs/
		ci.job("quiet", {"first"}, function(q) q.sh("true") end)`
	if err := os.WriteFile(filepath.Join(dir, ".quire/ci.lua"), []byte(pipeline), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("strace", "-f", "-e", "trace=%file", "-o", trace, filepath.Join(prefix, "bin/quire-ci"), "run", "--workspace", dir, "--out", filepath.Join(dir, "out"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	calls, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(calls)) {
		if strings.Contains(line, `/jobs/quiet"`) || strings.Contains(line, `/jobs/quiet/artifacts"`) {
			found = append(found, line)
		}
	}
	if len(found) != 4 {
		t.Errorf("%d calls, want 4: %s", len(found), strings.Join(found, ""))
	}
}
