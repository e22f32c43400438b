package test

import (
	"net/http/cgi"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A gated branch also moves only after its run if it is pushed over HTTP, with
// git-http-backend(1).
func TestGateOverHTTP(t *testing.T) {
	t.Parallel()
	p := killable{t.TempDir()}
	backend := strings.TrimSpace(p.sh(t, "git --exec-path")) + "/git-http-backend"
	p.sh(t, `mkdir root; echo 'gate = ["refs/heads/main"]' >root/config.toml
		git init -q --bare -b main a.git; git -C a.git config http.receivepack true; git init -q -b main w; cd w
		git config user.name a; git config user.email a@b
		mkdir .quire; echo '(local ci (require :quire.ci)) (ci.job :a [:quire/push] (fn [{: sh}] (sh "echo hello; test ! -e bad")))' >.quire/ci.fnl
		git add -A; git commit -qm 1; quire-trigger --install-hook --gate --git-dir ../a.git`)
	server := httptest.NewServer(&cgi.Handler{Path: backend, Env: append(p.environ(),
		"GIT_PROJECT_ROOT="+p.dir, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=ann")})
	defer server.Close()
	push := func() (string, error) {
		cmd := exec.Command("git", "push", server.URL+"/a.git", "main")
		cmd.Dir, cmd.Env = filepath.Join(p.dir, "w"), p.environ()
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := push(); err != nil || !strings.Contains(out, "a | hello") {
		t.Fatalf("%v, %s", err, out)
	}
	head := p.sh(t, "git -C w rev-parse main; touch w/bad; git -C w add bad; git -C w commit -qm 2")
	if out, err := push(); err == nil || !strings.Contains(out, "the push is refused") {
		t.Errorf("%v, %s", err, out)
	}
	if at := p.sh(t, "git -C a.git rev-parse main"); at != head {
		t.Errorf("the branch is at %s, want %s", at, head)
	}
	if shown := p.sh(t, "quire-runstate show a.git@main"); !strings.Contains(shown, "pusher\tann\n") {
		t.Errorf("no pusher: %s", shown)
	}
}
