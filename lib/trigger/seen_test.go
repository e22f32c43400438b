package trigger

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quire/lib/git"
)

// bareRepo returns a bare repository with one commit on refs/heads/main, and its id.
func bareRepo(t *testing.T) (*git.Repo, string) {
	t.Helper()
	dir := t.TempDir()
	run := func(args ...string) string {
		cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
		cmd.Env = append(git.CleanEnv(os.Environ()), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "LC_ALL=C",
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	run("init", "-q", "--bare")
	commit := run("commit-tree", "-m", "first", run("mktree", "--missing"))
	run("update-ref", "refs/heads/main", commit)
	repo, err := git.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return repo, commit
}

func open(t *testing.T, repo *git.Repo, updates ...Update) *seen {
	t.Helper()
	s, err := openSeen(context.Background(), repo, updates)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

func TestSeenBeginsWithWhatWasThere(t *testing.T) {
	repo, commit := bareRepo(t)
	pushed := Update{Old: zero, New: commit, Ref: "refs/heads/main"}
	s := open(t, repo, pushed)
	if diff := cmp.Diff([]Update{pushed}, s.fresh([]Update{pushed})); diff != "" {
		t.Errorf("the push at hand is not new: %s", diff)
	}
	s.close()
	s = open(t, repo)
	refs := []git.Ref{{Name: "refs/heads/main", OID: commit}}
	if diff := cmp.Diff([]Update{pushed}, s.missed(refs)); diff != "" {
		t.Errorf("a push that was not added is not missed: %s", diff)
	}
	if err := s.add([]Update{pushed}); err != nil {
		t.Fatal(err)
	}
	if missed := s.missed(refs); len(missed) != 0 {
		t.Errorf("a push that was added is missed: %v", missed)
	}
}

func TestSeenOfAnOldRepositoryMissesNothing(t *testing.T) {
	repo, commit := bareRepo(t)
	s := open(t, repo)
	if missed := s.missed([]git.Ref{{Name: "refs/heads/main", OID: commit}}); len(missed) != 0 {
		t.Errorf("missed %v", missed)
	}
	gone := s.missed(nil)
	want := []Update{{Old: commit, New: zero, Ref: "refs/heads/main"}}
	if diff := cmp.Diff(want, gone); diff != "" {
		t.Error(diff)
	}
}

func TestSeenOverwritesATornLine(t *testing.T) {
	repo, commit := bareRepo(t)
	s := open(t, repo)
	s.close()
	path := filepath.Join(repo.Dir(), seenDir, seenFile)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(f, "%s refs/heads/torn-and-much-longer-than-what-comes", one)
	f.Close()
	s = open(t, repo)
	if err := s.add([]Update{{Old: zero, New: two, Ref: "refs/x"}}); err != nil {
		t.Fatal(err)
	}
	s.close()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := commit + " refs/heads/main\n" + two + " refs/x\n"
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Error(diff)
	}
}

func TestSeenIsWrittenAnewWhenItHasGrown(t *testing.T) {
	repo, commit := bareRepo(t)
	s := open(t, repo)
	var many []Update
	for i := range 20000 {
		many = append(many, Update{Old: zero, New: one, Ref: fmt.Sprintf("refs/heads/%d", i%100)})
	}
	for range 3 {
		if err := s.add(many); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(s.path)
	if err != nil {
		t.Fatal(err)
	}
	if whole := int64(3 * len(many) * (len(one) + len("refs/heads/00") + 2)); info.Size() > whole/2 {
		t.Errorf("it has %d bytes of %d that were written", info.Size(), whole)
	}
	s.close()
	if s = open(t, repo); len(s.refs) != 101 || s.refs["refs/heads/main"] != commit || s.refs["refs/heads/99"] != one {
		t.Errorf("%d refs are left", len(s.refs))
	}
}
