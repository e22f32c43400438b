package executor

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"quire/lib/runlog"
)

// own gives all jobs whose id begins with "own" a workspace of their own. It runs p in a
// workspace with a file, a link and a read-only directory.
func own(t *testing.T, text string, o Options) (result, string) {
	t.Helper()
	p := load(t, text)
	for _, j := range p.Jobs {
		if j.ID[:3] == "own" {
			j.Options.OwnWorkspace = true
			j.Options.Retry = 1
		}
	}
	o.Workspace = t.TempDir()
	for _, err := range []error{
		os.WriteFile(filepath.Join(o.Workspace, "file"), []byte("one\n"), 0o755),
		os.Symlink("file", filepath.Join(o.Workspace, "link")),
		os.MkdirAll(filepath.Join(o.Workspace, "dir/fixed"), 0o755),
		os.Chmod(filepath.Join(o.Workspace, "dir/fixed"), 0o555),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	r := start(t, t.Context(), p, o)
	if _, err := os.Lstat(filepath.Join(r.dir, runlog.ScratchDir)); !os.IsNotExist(err) {
		t.Errorf("the scratch directory: %v", err)
	}
	return r, o.Workspace
}

func TestOwnWorkspace(t *testing.T) {
	r, shared := own(t, `
		job("first", {"quire/push"}, function(q) q.sh("echo shared >file; echo >new") end)
		local attempts = 0
		for n = 1, 50 do
			job("own-" .. n, {"first"}, function(q)
				q.sh('test "$PWD" = "$QUIRE_WORKSPACE" && test -x file && test "$(readlink link)" = file && ! test -e new && test "$(stat -c %a dir/fixed)" = 555')
				q.sh('test "$(cat link)" = one && ! test -e mine && touch mine && pwd', {cwd = "."})
				assert(q["read-file"]("file") == "one\n")
				q["write-file"]("dir/written", n .. "\n")
				q["write-file"](q.env("QUIRE_WORKSPACE") .. "/file", n .. "\n")
				q.sh('test "$(cat written ../file | sort -u)" = ' .. n, {cwd = "dir"})
				attempts = attempts + 1
				q.sh(attempts == 1 and "false" or "true")
			end)
		end
		job("last", {"own-1", "own-50"}, function(q) q.sh('test "$(cat file)" = shared && ! test -e mine && ! test -e dir/written') end)`,
		Options{Parallel: 8})
	if r.State != runlog.Complete {
		t.Fatal(r.output)
	}
	if text, err := os.ReadFile(filepath.Join(shared, "file")); string(text) != "shared\n" {
		t.Errorf("the shared file: %q, %v", text, err)
	}
}

// TestNoOwnWorkspace checks that nothing is copied if no job that runs needs a copy.
func TestNoOwnWorkspace(t *testing.T) {
	for name, test := range map[string]struct {
		job  string
		want string
	}{
		"no job":  {job: "other", want: "copies: none\n"},
		"one job": {job: "own", want: "copies: tree\n"},
	} {
		t.Run(name, func(t *testing.T) {
			text := fmt.Sprintf(`
				job(%q, {"quire/push"}, function(q) q.sh("true") end)
				job("look", {%[1]q}, function(q) return q.sh("echo copies: $(cd $QUIRE_INPUTS/.. && ls -d tree || echo none)").stdout end)`, test.job)
			r, _ := own(t, text, Options{})
			if got := r.recorded("look"); got != fmt.Sprintf("%q", test.want) {
				t.Errorf("got %s, want %q\n%s", got, test.want, r.output)
			}
		})
	}
}

// TestHostileOwnWorkspace runs jobs that change the untouched copy.
func TestHostileOwnWorkspace(t *testing.T) {
	r, _ := own(t, `
		job("first", {"quire/push"}, function(q) q.sh("cd $QUIRE_INPUTS/../tree && rm file && ln -s /etc/passwd file && mkfifo pipe && ln -s / root") end)
		job("own", {"first"}, function(q)
			q.sh("test -L file && ! test -e pipe && test $(readlink root) = /", {check = false})
			return pcall(q["read-file"], "file")
		end)`, Options{})
	if got := r.recorded("own"); got != "false" {
		t.Errorf("read-file follows a link out of the copy: %s\n%s", got, r.output)
	}
}
