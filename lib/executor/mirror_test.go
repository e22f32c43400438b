package executor

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"quire/lib/pipeline"
	"quire/lib/push"
)

// gitIn runs git in a directory, without the configuration of the user.
func gitIn(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC", "HOME=/nonexistent",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b",
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestMirror(t *testing.T) {
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	t.Setenv("GIT_CONFIG_GLOBAL", "/dev/null")
	tests := map[string]struct {
		mirror pipeline.Mirror
		tag    string // body of the function
		moved  bool   // another push has moved the branch
		refs   string // of the mirror, as "name commit"
		failed string
	}{
		"pushed ref":  {refs: "refs/heads/main true"},
		"with tag":    {tag: `return "v-" .. push.branch`, refs: "refs/heads/main true\nrefs/tags/v-main true"},
		"no tag":      {tag: `return nil`, refs: "refs/heads/main true"},
		"other refs":  {mirror: pipeline.Mirror{Refs: []string{"refs/heads/side", "main"}}, refs: "refs/heads/main true\nrefs/heads/side true"},
		"moved on":    {moved: true, refs: ""},
		"bad tag":     {tag: `return "a b"`, failed: "ci.lua:7: cannot make tag 'a b': not a valid name"},
		"no tag name": {tag: `return 1`, failed: "ci.lua:7: tag returned a number, not a string or nil"},
		"tag raises":  {tag: `error("oh")`, failed: "ci.lua:1: oh"},
		"no secret":   {mirror: pipeline.Mirror{Secret: "key"}, failed: "ci.lua:7: no secret 'key': there are none; the configuration declares them under 'secrets'"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			work, mirror := filepath.Join(dir, "work"), filepath.Join(dir, "mirror.git")
			gitIn(t, dir, "init", "-q", "--bare", mirror)
			gitIn(t, dir, "init", "-q", "-b", "main", work)
			gitIn(t, work, "commit", "-q", "--allow-empty", "-m", "one")
			gitIn(t, work, "branch", "side")
			sha := gitIn(t, work, "rev-parse", "HEAD")
			if tt.moved {
				gitIn(t, work, "commit", "-q", "--allow-empty", "-m", "two")
			}

			p := load(t, "function tag(push) "+tt.tag+" end")
			tt.mirror.URL = mirror
			if tt.tag != "" {
				tt.mirror.Tag = p.VM.State().GetGlobal("tag").(*lua.LFunction)
			}
			p.Jobs = []*pipeline.Job{{
				ID: pipeline.MirrorID, Inputs: []string{pipeline.Push}, Mirror: &tt.mirror, File: "ci.lua", Line: 7,
			}}
			r := start(t, t.Context(), p, Options{Facts: push.Facts{GitDir: filepath.Join(work, ".git"), Ref: "refs/heads/main", SHA: sha}})
			if r.err != nil {
				t.Fatal(r.err)
			}
			if got := r.Jobs[0].Error; got != tt.failed || (r.State == "failed") != (tt.failed != "") {
				t.Errorf("the job is %s: %q, want %q", r.State, got, tt.failed)
			}
			var refs []string
			for line := range strings.Lines(gitIn(t, mirror, "for-each-ref", "--format=%(refname) %(objectname)")) {
				ref, oid, _ := strings.Cut(strings.TrimSpace(line), " ")
				at := "false"
				if oid == sha {
					at = "true"
				}
				refs = append(refs, ref+" "+at)
			}
			if got := strings.Join(refs, "\n"); got != tt.refs {
				t.Errorf("the mirror has %q, want %q", got, tt.refs)
			}
		})
	}
}
