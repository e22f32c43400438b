package workspace

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"quire/lib/git"
)

// childVariable turns the test binary into a process that materializes, for tests that kill
// it. Its value is the repository, the commit and the directory, each on a line.
const childVariable = "QUIRE_TEST_MATERIALIZE"

func TestMain(m *testing.M) {
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "GIT_") {
			os.Unsetenv(name)
		}
	}
	if words := os.Getenv(childVariable); words != "" {
		os.Exit(materializeChild(strings.Split(words, "\n")))
	}
	home, err := os.MkdirTemp("", "quire-home-")
	if err != nil {
		panic(err)
	}
	for name, value := range map[string]string{
		"HOME": home, "XDG_CONFIG_HOME": "", "LC_ALL": "C", "TZ": "UTC",
		"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
	} {
		os.Setenv(name, value)
	}
	code := m.Run()
	os.RemoveAll(home)
	os.Exit(code)
}

func materializeChild(words []string) int {
	repo, err := git.Open(words[0])
	if err == nil {
		err = Materialize(context.Background(), repo, words[1], words[2], Options{})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// A fixture is a bare repository. Tests write its trees object by object, because most of
// them cannot exist in a working copy.
type fixture struct {
	t   testing.TB
	dir string
}

func newFixture(t testing.TB, initArgs ...string) *fixture {
	t.Helper()
	f := &fixture{t: t, dir: filepath.Join(t.TempDir(), "repo.git")}
	args := append([]string{"init", "-q", "--bare", "-b", "main"}, initArgs...)
	if out, err := exec.Command("git", append(args, f.dir)...).CombinedOutput(); err != nil {
		t.Fatalf("git init: %v: %s", err, out)
	}
	return f
}

// git runs git in the repository and returns its output without the last line break.
func (f *fixture) git(stdin string, args ...string) string {
	f.t.Helper()
	return f.gitEnv(nil, stdin, args...)
}

func (f *fixture) gitEnv(env []string, stdin string, args ...string) string {
	f.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = f.dir
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Env = append(append(os.Environ(), env...),
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

func (f *fixture) blob(text string) string {
	f.t.Helper()
	return f.git(text, "hash-object", "-w", "--stdin")
}

// tree writes a tree. Keys are "MODE PATH", values are contents, or the commit of a
// submodule.
func (f *fixture) tree(files map[string]string) string {
	f.t.Helper()
	keys := slices.Sorted(maps.Keys(files))
	var blobs strings.Builder
	for i, key := range keys {
		fmt.Fprintf(&blobs, "blob\nmark :%d\ndata %d\n%s\n", i+1, len(files[key]), files[key])
	}
	marks := filepath.Join(f.t.TempDir(), "marks")
	f.git(blobs.String(), "fast-import", "--quiet", "--export-marks="+marks)
	text, err := os.ReadFile(marks)
	if err != nil {
		f.t.Fatal(err)
	}
	var entries strings.Builder
	for line := range strings.Lines(string(text)) {
		var mark int
		var oid string
		if _, err := fmt.Sscanf(line, ":%d %s", &mark, &oid); err != nil {
			f.t.Fatal(err)
		}
		mode, path, _ := strings.Cut(keys[mark-1], " ")
		if mode == "160000" {
			oid = files[keys[mark-1]]
		}
		fmt.Fprintf(&entries, "%s %s\t%s\x00", mode, oid, path)
	}
	env := []string{"GIT_INDEX_FILE=" + filepath.Join(f.t.TempDir(), "index")}
	f.gitEnv(env, entries.String(), "update-index", "-z", "--index-info")
	return f.gitEnv(env, "", "write-tree", "--missing-ok")
}

// commit writes a commit of a tree and returns its id.
func (f *fixture) commit(tree string) string {
	f.t.Helper()
	return f.git("message\n", "commit-tree", tree)
}

func (f *fixture) commitOf(files map[string]string) string {
	f.t.Helper()
	return f.commit(f.tree(files))
}

func (f *fixture) open() *git.Repo {
	f.t.Helper()
	r, err := git.Open(f.dir)
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

// materialize is Materialize into a new directory.
func (f *fixture) materialize(commit string) string {
	f.t.Helper()
	dir := filepath.Join(f.t.TempDir(), "ws")
	if err := Materialize(context.Background(), f.open(), commit, dir, Options{}); err != nil {
		f.t.Fatal(err)
	}
	return dir
}

// checkout makes git itself write the commit, and returns the directory.
func (f *fixture) checkout(commit string) string {
	f.t.Helper()
	dir := f.t.TempDir()
	index := filepath.Join(f.t.TempDir(), "index")
	cmd := exec.Command("git", "--git-dir="+f.dir, "read-tree", "-m", "-u", commit)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_INDEX_FILE="+index, "GIT_WORK_TREE="+dir, "GIT_NO_REPLACE_OBJECTS=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		f.t.Fatalf("git read-tree: %v: %s", err, out)
	}
	return dir
}

// snapshot describes everything in a directory: modes, contents, link targets.
func snapshot(t testing.TB, path string) map[string]string {
	t.Helper()
	found := map[string]string{}
	root, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := describe(root, "", found); err != nil {
		t.Fatal(err)
	}
	return found
}

// describe describes the entries of dir, which it closes. Their paths may be longer than
// PATH_MAX.
func describe(dir int, prefix string, found map[string]string) error {
	d := os.NewFile(uintptr(dir), prefix)
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		var st unix.Stat_t
		if err := unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return err
		}
		text := ""
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFDIR:
			sub, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
			if err != nil {
				return err
			}
			if err := describe(sub, prefix+name+"/", found); err != nil {
				return err
			}
		case unix.S_IFLNK:
			target := make([]byte, 5000)
			n, err := unix.Readlinkat(dir, name, target)
			if err != nil {
				return err
			}
			text = string(target[:n])
		case unix.S_IFREG:
			n, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_NOFOLLOW, 0)
			if err != nil {
				return err
			}
			f := os.NewFile(uintptr(n), name)
			data := make([]byte, st.Size)
			_, err = f.Read(data)
			f.Close()
			if err != nil && st.Size > 0 {
				return err
			}
			text = string(data)
		}
		found[prefix+name] = fmt.Sprintf("%o %q", st.Mode, text)
	}
	return nil
}

// checkSame fails unless two directories have the same contents.
func checkSame(t testing.TB, want, got string) {
	t.Helper()
	if diff := cmp.Diff(snapshot(t, want), snapshot(t, got)); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

// checkNothing fails if dir exists, or if leftovers are next to it.
func checkNothing(t testing.TB, dir string) {
	t.Helper()
	if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is there: %v", dir, err)
	}
	checkNoLeftovers(t, filepath.Dir(dir))
}

func checkNoLeftovers(t testing.TB, parent string) {
	t.Helper()
	names, err := readNames(parent)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.Contains(name, ".quire-") && !strings.HasSuffix(name, ".quire-index") {
			t.Errorf("left over: %s", name)
		}
	}
}
