package trigger

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

func TestSeenBeginsWithTheExistingRefs(t *testing.T) {
	repo, commit := bareRepo(t)
	pushed := Update{Old: zero, New: commit, Ref: "refs/heads/main"}
	s := open(t, repo, pushed)
	if late, others := s.late([]Update{pushed}); len(late) != 0 || len(others) != 1 {
		t.Errorf("the push at hand is late: %v, %v", late, others)
	}
	s.close()
	s = open(t, repo)
	refs := []git.Ref{{Name: "refs/heads/main", OID: commit}}
	if diff := cmp.Diff([]Update{pushed}, s.missed(refs)); diff != "" {
		t.Errorf("a push that was not added is not missed: %s", diff)
	}
	if err := s.add([]Update{pushed}, time.Time{}); err != nil {
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
	if err := s.add([]Update{{Old: zero, New: two, Ref: "refs/x"}}, time.Time{}); err != nil {
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

func TestSeenIsRewrittenWhenItIsLarge(t *testing.T) {
	repo, commit := bareRepo(t)
	s := open(t, repo)
	var many []Update
	for i := range 20000 {
		many = append(many, Update{Old: zero, New: one, Ref: fmt.Sprintf("refs/heads/%d", i%100)})
	}
	for range 3 {
		if err := s.add(many, time.Time{}); err != nil {
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

// Of two pushes to one ref the hook of the first may come last. It must not make the ref
// look moved.
func TestSeenKeepsTheLastUpdate(t *testing.T) {
	main := "refs/heads/main"
	for _, test := range []struct {
		name, seen, now string
		update          Update
		want            bool
	}{
		{"as it was", one, two, Update{one, two, main}, true},
		{"again", two, two, Update{one, two, main}, true},
		{"new", "", two, Update{zero, two, main}, true},
		{"the hook after it came first", long, long, Update{one, two, main}, false},
		{"the hook after it has not come yet", one, long, Update{one, two, main}, true},
		{"git moved the ref", long, two, Update{one, two, main}, true},
		{"deleted by the hook after it", zero, "", Update{one, two, main}, false},
		{"deleted by git, made again", two, one, Update{zero, one, main}, true},
	} {
		s := &seen{refs: map[string]string{}}
		if test.seen != "" {
			s.refs[main] = test.seen
		}
		last, err := s.last([]Update{test.update}, func([]string) ([]string, error) { return []string{test.now}, nil })
		if err != nil || (len(last) == 1) != test.want {
			t.Errorf("%s: %v, %v", test.name, last, err)
		}
	}
}

// A hook is late only with the id that Missed triggered last.
func TestSeenLate(t *testing.T) {
	repo, commit := bareRepo(t)
	main, other := "refs/heads/main", "refs/heads/other"
	s := open(t, repo)
	if err := s.add([]Update{{zero, one, main}, {zero, one, other}}, time.UnixMilli(time.Now().UnixMilli())); err != nil {
		t.Fatal(err)
	}
	if err := s.add([]Update{{one, one, other}}, time.Time{}); err != nil { // by a push
		t.Fatal(err)
	}
	s.close()
	s = open(t, repo)
	for _, u := range []struct {
		Update
		late bool
	}{
		{Update{zero, one, main}, true},
		{Update{commit, one, main}, true},
		{Update{zero, two, main}, false},
		{Update{one, zero, main}, false},
		{Update{zero, one, other}, false},
	} {
		if late, others := s.late([]Update{u.Update}); (len(late) == 1) != u.late || len(late)+len(others) != 1 {
			t.Errorf("%v: %v, %v", u.Update, late, others)
		}
	}
}

func TestIsReceivePack(t *testing.T) {
	for args, want := range map[string]bool{
		"git-receive-pack /a.git": true, "/usr/lib/git-core/git-receive-pack a": true, "git receive-pack --stateless-rpc .": true,
		"git -c a=b receive-pack a": true, "sh -c git-receive-pack": false, "git push": false, "": false, "git-upload-pack a": false,
	} {
		if got := isReceivePack(strings.Fields(args)); got != want {
			t.Errorf("%q: %v", args, got)
		}
	}
}
