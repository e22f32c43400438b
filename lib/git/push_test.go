package git

import (
	"context"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// newRemote serves a bare repository over http, with a user and a password.
func newRemote(t *testing.T, user, password string) (url string, remote *fixture) {
	t.Helper()
	remote = newFixture(t, "--bare")
	remote.git("config", "http.receivepack", "true")
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	backend := &cgi.Handler{
		Path: git, Args: []string{"http-backend"},
		Env: []string{
			"GIT_PROJECT_ROOT=" + filepath.Dir(remote.dir), "GIT_HTTP_EXPORT_ALL=1",
			"REMOTE_USER=" + user, "GIT_CONFIG_NOSYSTEM=1", "HOME=" + t.TempDir(),
		},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, ok := r.BasicAuth(); !ok || u != user || p != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/repo", remote
}

func TestPushMirror(t *testing.T) {
	tests := []struct{ name, user, password, credential, err string }{
		{"user and password", "me", "s3cr:et", "me:s3cr:et", ""},
		{"token", tokenUser, "t0ken", "t0ken\n", ""},
		{"wrong password", "me", "s3cret", "me:wrong", "refused the credential"},
		{"no credential", "me", "s3cret", "", "wants a credential"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url, remote := newRemote(t, tt.user, tt.password)
			f := newFixture(t)
			commit := f.commit("one")
			f.write(".git/hooks/pre-push", "#!/bin/sh\nexit 1\n")
			if err := os.Chmod(filepath.Join(f.dir, ".git/hooks/pre-push"), 0o755); err != nil {
				t.Fatal(err)
			}
			err := f.open().PushMirror(context.Background(), url,
				[]string{"refs/heads/main:refs/heads/main", commit + ":refs/tags/v1"}, tt.credential)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("PushMirror: %v, want %s", err, tt.err)
				}
				if tt.credential != "" && strings.Contains(err.Error(), "wrong") {
					t.Errorf("the error tells the password: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := remote.git("rev-parse", "refs/heads/main", "refs/tags/v1"); got != commit+"\n"+commit {
				t.Errorf("remote has %s", got)
			}
		})
	}
}

// The credential must not be sent to the target of a redirect.
func TestPushMirrorFollowsNoRedirect(t *testing.T) {
	asked := false
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = true
		http.NotFound(w, r)
	}))
	defer thief.Close()
	server := httptest.NewServer(http.RedirectHandler(thief.URL+"/repo/info/refs?service=git-receive-pack", http.StatusFound))
	defer server.Close()
	f := newFixture(t)
	f.commit("one")
	err := f.open().PushMirror(context.Background(), server.URL+"/repo", []string{"main"}, "me:s3cret")
	if err == nil || asked {
		t.Errorf("PushMirror: %v, redirect followed: %v", err, asked)
	}
}

// Neither git nor a program that it starts may have the credential in its arguments.
func TestPushMirrorArguments(t *testing.T) {
	real, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	log := filepath.Join(dir, "argv")
	shim := "#!/bin/sh\nprintf '%s\\n' \"$*\" >>'" + log + "'\nexec '" + real + "' \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "git"), []byte(shim), 0o755); err != nil {
		t.Fatal(err)
	}
	url, _ := newRemote(t, "me", "s3cret")
	f := newFixture(t)
	f.commit("one")
	r := f.open()
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	if err := r.PushMirror(context.Background(), url, []string{"main"}, "me:s3cret"); err != nil {
		t.Fatal(err)
	}
	argv, err := os.ReadFile(log)
	if err != nil || !strings.Contains(string(argv), "push") {
		t.Fatalf("shim was not used: %s %v", argv, err)
	}
	for _, secret := range []string{"s3cret", "bWU6czNjcmV0"} {
		if strings.Contains(string(argv), secret) {
			t.Errorf("argv has the credential: %s", argv)
		}
	}
}

func TestPushMirrorRefuses(t *testing.T) {
	f := newFixture(t)
	f.commit("one")
	tests := []struct{ name, remote, credential, err string }{
		{"password in the url", "https://me:s3cret@example.com/x", "", "the url contains a password"},
		{"broken url with a password", "https://me:s3%zzc@ret@example.com/x", "", "the url contains a password"},
		{"line break in the url", "https://example.com\n/x", "me:s3cret", "not valid"},
		{"password with a slash", "https://me:s3/cret@example.com/x", "", "not valid"},
		{"credential for no host", "https:///x", "me:s3cret", "takes no secret"},
		{"credential for a path", "/srv/x.git", "me:s3cret", "takes no secret"},
		{"credential for ssh", "git@example.com:x.git", "me:s3cret", "takes no secret"},
		{"program as transport", "ext::touch /tmp/x", "", "transport 'ext' not allowed"},
		{"option as remote", "--receive-pack=touch x", "", "receive-pack=touch"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := f.open().PushMirror(context.Background(), tt.remote, []string{"main"}, tt.credential)
			if err == nil || !strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "s3") {
				t.Errorf("PushMirror: %v, want %s", err, tt.err)
			}
		})
	}
}

func TestPushMirrorToPath(t *testing.T) {
	f, remote := newFixture(t), newFixture(t, "--bare")
	commit := f.commit("one")
	if err := f.open().PushMirror(context.Background(), remote.dir, []string{"+refs/heads/*:refs/heads/*"}, ""); err != nil {
		t.Fatal(err)
	}
	if got := remote.git("rev-parse", "main"); got != commit {
		t.Errorf("remote has %s", got)
	}
}

func TestSplitURL(t *testing.T) {
	tests := []struct{ url, scheme, user, host string }{
		{"https://example.com/x.git", "https", "", "example.com"},
		{"https://me@example.com:8443/x", "https", "me", "example.com:8443"},
		{"https://me:pass@example.com", "https", "me:pass", "example.com"},
		{"https://me:p@ss@example.com/x", "https", "me:p@ss", "example.com"},
		{"https://me:p/ss@example.com/x", "https", "", "me:p"}, // as RFC 3986 and curl have it
		{"https://example.com?a@b", "https", "", "example.com"},
		{"https://[::1]:80/x", "https", "", "[::1]:80"},
		{"https:///x", "https", "", ""},
		{"git@example.com:x.git", "", "", ""},
		{"/srv/x@y.git", "", "", ""},
		{"", "", "", ""},
	}
	for _, tt := range tests {
		scheme, user, host := splitURL(tt.url)
		if scheme != tt.scheme || user != tt.user || host != tt.host {
			t.Errorf("splitURL(%q) = %q, %q, %q", tt.url, scheme, user, host)
		}
	}
}
