package git

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMain(m *testing.M) {
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "GIT_") {
			os.Unsetenv(name)
		}
	}
	home, err := os.MkdirTemp("", "quire-home-")
	if err != nil {
		panic(err)
	}
	for name, value := range map[string]string{
		"HOME": home, "LC_ALL": "C", "TZ": "UTC",
		"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
	} {
		os.Setenv(name, value)
	}
	code := m.Run()
	os.RemoveAll(home)
	os.Exit(code)
}

// A fixture is a repository for tests, which run git in it.
type fixture struct {
	t   *testing.T
	dir string
}

func newFixture(t *testing.T, initArgs ...string) *fixture {
	t.Helper()
	f := &fixture{t: t, dir: filepath.Join(t.TempDir(), "repo")}
	cmd := exec.Command("git", append(append([]string{"init", "-q", "-b", "main"}, initArgs...), f.dir)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git init: %v: %s", err, out)
	}
	return f
}

// git runs git in the fixture and returns its output without the last line break.
func (f *fixture) git(args ...string) string {
	f.t.Helper()
	return f.gitIn("", args...)
}

func (f *fixture) gitIn(stdin string, args ...string) string {
	f.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = f.dir
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = append(os.Environ(),
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_AUTHOR_DATE=1700000000 +0000",
		"GIT_COMMITTER_NAME=C", "GIT_COMMITTER_EMAIL=c@example.com", "GIT_COMMITTER_DATE=1700000000 +0000")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		f.t.Fatalf("git %s: %v: %s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSuffix(string(out), "\n")
}

func (f *fixture) write(name, text string) {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

// commit commits the working copy and returns the commit's id.
func (f *fixture) commit(message string) string {
	f.t.Helper()
	f.git("add", "-A")
	f.git("commit", "-q", "--allow-empty", "-m", message)
	return f.git("rev-parse", "HEAD")
}

func (f *fixture) open() *Repo {
	f.t.Helper()
	r, err := Open(f.dir)
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

func (f *fixture) objects() *Objects {
	f.t.Helper()
	o, err := f.open().Objects(context.Background())
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(o.Close)
	return o
}

func TestOpen(t *testing.T) {
	f := newFixture(t)
	bare := newFixture(t, "--bare")
	f.write("a", "a")
	f.commit("one")
	linked := filepath.Join(t.TempDir(), "linked")
	f.git("worktree", "add", "-q", linked)
	plain := t.TempDir()
	file := filepath.Join(plain, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, dir, want, err string
	}{
		{"working copy", f.dir, filepath.Join(f.dir, ".git"), ""},
		{"its git directory", filepath.Join(f.dir, ".git"), filepath.Join(f.dir, ".git"), ""},
		{"bare", bare.dir, bare.dir, ""},
		{"linked working tree", linked, filepath.Join(f.dir, ".git/worktrees/linked"), ""},
		{"plain directory", plain, "", "cannot open repository '" + plain + "': not a git repository"},
		{"file", file, "", "cannot open repository '" + file + "': not a git repository"},
		{"missing", "/nonexistent", "", "cannot open repository '/nonexistent': no such file or directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Open(tt.dir)
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Fatalf("Open: %v, want %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if r.Dir() != tt.want {
				t.Errorf("Dir: %s, want %s", r.Dir(), tt.want)
			}
			if _, _, err := r.Config("core.bare"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCleanEnv(t *testing.T) {
	got := CleanEnv([]string{
		"PATH=/bin", "GIT_DIR=.", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_GLOBAL=/x", "LEGIT=1", "GIT_TRACE=1",
	})
	want := []string{"PATH=/bin", "GIT_CONFIG_GLOBAL=/x", "LEGIT=1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A hook's environment must not direct git to another repository.
func TestHookEnvironmentIsIgnored(t *testing.T) {
	f := newFixture(t)
	f.write("a", "a")
	commit := f.commit("one")
	t.Setenv("GIT_DIR", "/nonexistent")
	t.Setenv("GIT_OBJECT_DIRECTORY", "/nonexistent")
	info, err := f.objects().Info("HEAD")
	if err != nil || info.OID != commit || info.Type != "commit" {
		t.Errorf("Info: %v %v", info, err)
	}
}

func TestErrorsAreOneLine(t *testing.T) {
	f := newFixture(t)
	_, err := f.open().output(context.Background(), "diff-tree", "nonsense", "more")
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != 128 || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %#v", err)
	}
	stderr := &tail{}
	stderr.Write([]byte("hint: try this\nerror: a\x1b[31m\n\nfatal: b\n"))
	if got, want := stderr.line(), "a?[31m; b"; got != want {
		t.Errorf("line: %q, want %q", got, want)
	}
	stderr.Write([]byte("fatal: detected dubious ownership in repository at '/x'\n"))
	if got := stderr.line(); !strings.Contains(got, "safe.directory") {
		t.Errorf("line: %q", got)
	}
}
