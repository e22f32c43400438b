package executor

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quire/lib/push"
)

func TestLocalFacts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "project")
	if err := os.MkdirAll(filepath.Join(dir, "sub"), 0o777); err != nil {
		t.Fatal(err)
	}
	git := func(args ...string) string {
		t.Helper()
		return gitIn(t, dir, args...)
	}
	facts := func(dir string) push.Facts {
		t.Helper()
		f, err := localFacts(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if f.PushedAt.IsZero() {
			t.Error("there is no time")
		}
		f.PushedAt = time.Time{}
		return f
	}

	if diff := cmp.Diff(push.Facts{Repo: "project", Trigger: "hand"}, facts(dir)); diff != "" {
		t.Errorf("no repository: %s", diff)
	}
	git("init", "-q", "-b", "trunk")
	git("config", "user.name", "ann")
	want := push.Facts{Repo: "project", GitDir: filepath.Join(dir, ".git"), Ref: "refs/heads/trunk", Pusher: "ann", Trigger: "hand"}
	if diff := cmp.Diff(want, facts(dir)); diff != "" {
		t.Errorf("no commit: %s", diff)
	}
	git("commit", "-q", "--allow-empty", "-m", "one")
	want.SHA, want.CommitMessage, want.FilesChanged = git("rev-parse", "HEAD"), "one\n", []string{}
	if diff := cmp.Diff(want, facts(dir)); diff != "" {
		t.Errorf("one commit: %s", diff)
	}
	want.PreviousSHA = want.SHA
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	git("add", "file")
	git("commit", "-q", "-m", "two")
	want.SHA, want.CommitMessage, want.FilesChanged = git("rev-parse", "HEAD"), "two\n", []string{"file"}
	if diff := cmp.Diff(want, facts(filepath.Join(dir, "sub"))); diff != "" {
		t.Errorf("two commits: %s", diff)
	}
	git("checkout", "-q", "--detach")
	want.Ref = "HEAD"
	if diff := cmp.Diff(want, facts(dir)); diff != "" {
		t.Errorf("detached: %s", diff)
	}
}
