package test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shells returns the shells that run the recipes.
func shells(t *testing.T) []string {
	t.Helper()
	if repeatsAll(t) {
		return []string{"dash", "busybox sh"}
	}
	return []string{"dash"}
}

// recipe is a root and a repository with one program of contrib/on-end.d.
type recipe struct {
	t   *testing.T
	dir string
	env []string
}

func newRecipe(t *testing.T, name, shell string) *recipe {
	t.Helper()
	needs(t, strings.Fields(shell)[0])
	dir := t.TempDir()
	r := &recipe{t: t, dir: dir, env: []string{
		"PATH=" + filepath.Join(dir, "bin") + ":" + filepath.Join(prefix, "bin") + ":/usr/bin:/bin",
		"HOME=" + dir, "LOGNAME=quire", "QUIRE_ROOT=" + filepath.Join(dir, "root"), "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1",
	}}
	program := filepath.Join(prefix, "share/quire/on-end.d", name)
	r.sh("mkdir -p bin root/on-end.d && sed '1s|/bin/sh|/usr/bin/env -S " + shell + "|' " + program + " >recipe && chmod +x recipe && ln -s ../../recipe root/on-end.d/" + name)
	r.sh("git init -q --bare foo.git && git -c user.name=A -c user.email=a@example.org init -q work")
	r.sh("git -C work -c user.name=Ann -c user.email=a@example.org commit -q --allow-empty -m 'A subject' && git -C work push -q ../foo.git HEAD:main")
	return r
}

// sh runs a shell command in the directory of the recipe, and returns its output.
func (r *recipe) sh(command string) string {
	r.t.Helper()
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir, cmd.Env = r.dir, r.env
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		r.t.Fatalf("%s: %v\n%s%s", command, err, out, &problems)
	}
	return strings.TrimSpace(string(out))
}

// end creates a run of ref that ends with the operands and options of transition, runs
// the program for it, and returns its id and the program's output. The file events, if it
// exists, becomes the run's file of events.
func (r *recipe) end(ref, change string) (id, log string) {
	r.t.Helper()
	id = r.sh(fmt.Sprintf(`line=$(quire-runstate create --repo foo.git --git-dir "$PWD/foo.git" --ref '%s' \
		--sha "$(git -C foo.git rev-parse main)" --pusher "$(printf 'pat\nBcc: x@example.org')" --executor host)
		id=${line%%%%	*}; printf 'the log: \303\244\n' >root/runs/foo.git/$id/quire-ci.log
		[ ! -e events ] || mv events root/runs/foo.git/$id/events.jsonl
		quire-runstate transition $id %s && quire-runstate notify && echo $id`, ref, change))
	return id, r.sh("cat root/runs/foo.git/" + id + "/on-end.log")
}

func TestMailRecipe(t *testing.T) {
	t.Parallel()
	for _, shell := range shells(t) {
		t.Run(shell, func(t *testing.T) { t.Parallel(); mailRecipe(t, newRecipe(t, "mail", shell)) })
	}
}

func mailRecipe(t *testing.T, r *recipe) {
	r.sh("printf '#!/bin/sh\\nprintf \"%%s\\\\n\" \"$*\" >>../../../../args\\nexec cat >../../../../mail\\n' >bin/sendmail && chmod +x bin/sendmail")
	mailed := func(ref, change string) (id, text string) {
		t.Helper()
		id, log := r.end(ref, change)
		if !strings.Contains(log, "on-end.d/mail: exit 0") {
			t.Errorf("%s: log %s", change, log)
		}
		text = r.sh("cat mail 2>/dev/null; rm -f mail")
		return id, text
	}
	if _, text := mailed("refs/heads/main", "failed"); text != "" {
		t.Errorf("mail to nobody: %s", text)
	}
	r.sh("git -C foo.git config quire.mailTo dev@example.org,ops@example.org")
	id, text := mailed("refs/heads/main", "failed --code 3")
	want := `From: quire
To: dev@example.org,ops@example.org
Subject: foo.git main: failed (exit 3)
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

run     ` + id + `
commit  HASH A subject (Ann)
pusher  patBcc: x@example.org


The end of its log:

the log: ` + "\u00e4"
	if got := regexp.MustCompile(`(?m)^commit  [0-9a-f]+`).ReplaceAllString(text, "commit  HASH"); got != want {
		t.Errorf("mail:\n%s\nwant:\n%s", got, want)
	}
	if args := r.sh("cat args"); args != "-oi -t" {
		t.Errorf("sendmail %s", args)
	}
	r.sh(`cat >events <<'END'
{"event":"run-start","version":1,"jobs":[{"id":"lint","inputs":[]},{"id":"unit test","inputs":[]},{"id":"draft","inputs":[]},{"id":"x failed","inputs":[]}]}
{"event":"job-start","job":"lint"}
{"event":"sh-start","job":"lint","sh":1,"cmd":"make lint"}
{"event":"sh-end","job":"lint","sh":1,"exit":0}
{"event":"job-end","job":"lint","state":"complete"}
{"event":"job-start","job":"unit test"}
{"event":"sh-start","job":"unit test","sh":1,"cmd":"make"}
{"event":"sh-end","job":"unit test","sh":1,"exit":0}
{"event":"sh-start","job":"unit test","sh":2,"cmd":"cd test\nprintf '%s\\n' x"}
{"event":"sh-end","job":"unit test","sh":2,"exit":2}
{"event":"job-end","job":"unit test","state":"failed","reason":"exit","code":2,"error":"exit 2: no such test"}
{"event":"job-start","job":"draft"}
{"event":"job-end","job":"draft","state":"failed","reason":"exit","code":1,"error":"exit 1","allowed":true}
{"event":"job-end","job":"x failed","state":"skipped","reason":"upstream-failed"}
END`)
	if _, text := mailed("refs/heads/main", "failed --reason exit --code 2"); !strings.Contains(text, `
failed  unit test
        exit 2: no such test
        $ cd test
          printf '%s\n' x

The end of its log:
`) || strings.Contains(text, "lint") || strings.Contains(text, "draft") {
		t.Errorf("mail about jobs:\n%s", text)
	}
	const again = "Subject: foo.git main: complete again\n"
	none, skipped := "{}", `{"event":"job-end","job":"a complete","state":"skipped"}`
	ran := skipped + "\n" + `{"event":"job-end","job":"a","state":"complete"}`
	for _, tt := range []struct{ change, events, subject string }{
		{"complete", skipped, ""},
		{"complete", none, ""},
		{"complete", ran, again},
		{"complete", ran, ""},
		{"failed --reason cancelled", "", ""},
		{"complete", ran, ""},
		{"failed --reason timeout", "", "Subject: foo.git main: failed (timeout)\n"},
		{"failed --reason cancelled", "", ""},
		{"complete", skipped, ""},
		{"complete", "", again}, // from a command without jobs
		{"complete", "", ""},
	} {
		if tt.events != "" {
			r.sh("printf '%s\\n' '" + tt.events + "' >events")
		}
		if _, text := mailed("refs/heads/main", tt.change); !strings.Contains(text, tt.subject) || (text == "") != (tt.subject == "") {
			t.Errorf("%s: want %q in mail:\n%s", tt.change, tt.subject, text)
		}
	}
	if _, text := mailed("refs/tags/v1", "failed"); !strings.Contains(text, "Subject: foo.git v1: failed (internal)\n") {
		t.Errorf("mail:\n%s", text)
	}
}

func TestWebhookRecipe(t *testing.T) {
	t.Parallel()
	needs(t, "curl")
	for _, shell := range shells(t) {
		t.Run(shell, func(t *testing.T) { t.Parallel(); webhookRecipe(t, newRecipe(t, "webhook", shell)) })
	}
}

func webhookRecipe(t *testing.T, r *recipe) {
	type request struct{ url, kind, token, body string }
	requests := make(chan request, 10)
	answers := make(chan int, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		requests <- request{q.URL.String(), q.Header.Get("Content-Type"), q.Header.Get("X-Token"), string(body)}
		w.WriteHeader(<-answers)
	}))
	defer server.Close()
	if _, log := r.end("refs/heads/main", "complete"); !strings.Contains(log, "on-end.d/webhook: exit 0") || len(requests) > 0 {
		t.Errorf("without a URL: %d requests, log %s", len(requests), log)
	}
	r.sh(`git -C foo.git config quire.webhook '` + server.URL + `/hook?key="\x'`)
	r.sh(`printf 'X-Token: abc\n' >headers && git -C foo.git config quire.webhookHeaders "$PWD/headers"`)
	answers <- 503 // retried
	answers <- 200
	id, log := r.end("refs/heads/main", "failed")
	if !strings.Contains(log, "on-end.d/webhook: exit 0") || len(requests) != 2 {
		t.Fatalf("%d requests, log %s", len(requests), log)
	}
	for range 2 {
		q := <-requests
		var run struct{ ID, State string }
		if err := json.Unmarshal([]byte(q.body), &run); err != nil || run.ID != id || run.State != "failed" {
			t.Errorf("body %s: %v", q.body, err)
		}
		if q.url != `/hook?key="\x` || q.kind != "application/json" || q.token != "abc" {
			t.Errorf("request %+v", q)
		}
	}
	answers <- 404
	if _, log := r.end("refs/heads/main", "failed"); !strings.Contains(log, "404") || !strings.Contains(log, "on-end.d/webhook: exit 22") {
		t.Errorf("log %s", log)
	}
}

func TestNotesRecipe(t *testing.T) {
	t.Parallel()
	for _, shell := range shells(t) {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			r := newRecipe(t, "notes", shell)
			id, log := r.end("refs/heads/main", "failed --code 3")
			if !strings.Contains(log, "on-end.d/notes: exit 0") {
				t.Errorf("log %s", log)
			}
			note := func() string { return r.sh("git -C foo.git notes --ref=quire show main 2>&1 || :") }
			want := "quire: refs/heads/main failed (exit 3)\nrun " + id
			if got := note(); got != want {
				t.Errorf("note %q, want %q", got, want)
			}
			if got := r.sh("git -C foo.git log -1 --notes=quire main"); !strings.Contains(got, "    run "+id) {
				t.Errorf("log: %s", got)
			}
			again, _ := r.end("refs/tags/v1", "complete")
			want += "\n\nquire: refs/tags/v1 complete\nrun " + again
			if got := note(); got != want {
				t.Errorf("note %q, want %q", got, want)
			}
			for _, ends := range []string{ // for a run that is reported again, and without result
				"ln -s ../runs/foo.git/" + again + " root/ended/ && quire-runstate notify",
				"git -C foo.git config quire.notes no",
			} {
				r.sh(ends)
				if got := note(); got != want {
					t.Errorf("after %s: note %q, want %q", ends, got, want)
				}
			}
			if _, log := r.end("refs/heads/main", "complete"); note() != want || !strings.Contains(log, "on-end.d/notes: exit 0") {
				t.Errorf("switched off: note %q, log %s", note(), log)
			}
		})
	}
}

func TestStatusRecipe(t *testing.T) {
	t.Parallel()
	needs(t, "curl")
	for _, shell := range shells(t) {
		t.Run(shell, func(t *testing.T) { t.Parallel(); statusRecipe(t, newRecipe(t, "status", shell)) })
	}
}

// services are the forges whose API the recipe status knows, with the expected requests.
var services = []struct {
	name, path, header, token, context string
	states                             map[string]string // by the end of a run
}{
	{"gitea", "/api/v1/repos/o/n", "Authorization", "token s3cret", "context", githubStates},
	{"github", "/repos/o/n", "Authorization", "Bearer s3cret", "context", githubStates},
	{"gitlab", "/api/v4/projects/42", "Private-Token", "s3cret", "name", map[string]string{
		"complete": "success", "failed --code 3": "failed", "failed --reason timeout": "failed",
		"failed --reason internal": "failed", "failed --reason cancelled": "canceled"}},
}

var githubStates = map[string]string{
	"complete": "success", "failed --code 3": "failure", "failed --reason timeout": "failure",
	"failed --reason internal": "error", "failed --reason cancelled": "error"}

func statusRecipe(t *testing.T, r *recipe) {
	type request struct{ method, path, token, body string }
	requests := make(chan request, 10)
	answers := make(chan int, 10)
	header := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		requests <- request{q.Method, q.URL.Path, q.Header.Get(header), string(body)}
		w.WriteHeader(<-answers)
	}))
	defer server.Close()
	fails := func(what, why string) {
		t.Helper()
		if _, log := r.end("refs/heads/main", "complete"); !strings.Contains(log, why) || len(requests) > 0 {
			t.Errorf("%s: %d requests, log %s", what, len(requests), log)
		}
	}
	fails("without a URL", "on-end.d/status: exit 0")
	r.sh("git -C foo.git config quire.statusURL " + server.URL + "/api/v1/repos/o/n")
	fails("without a token", "status: quire.statusToken is not set: it must name a file with a token")
	r.sh(`git -C foo.git config quire.statusToken "$PWD/token"`)
	fails("without its file", "No such file")
	for _, bad := range []string{"", `a\nb`} {
		r.sh("printf '" + bad + "' >token")
		fails("with a bad token", "must have a token, and nothing else")
	}
	r.sh("echo s3cret >token && git -C foo.git config quire.statusURL " + server.URL)
	fails("with a URL of no service", "status: quire.statusURL '"+server.URL+"': must end in ")
	r.sh("printf 'web = true\nurl = \"https://ci.example.org\"\n' >root/config.toml && mkdir -p root/repos && ln -s ../../foo.git root/repos/")
	sha := r.sh("git -C foo.git rev-parse main")
	for _, service := range services {
		header = service.header
		r.sh("git -C foo.git config quire.statusURL " + server.URL + service.path + "/")
		for change, state := range service.states {
			answers <- 201
			id, log := r.end(`refs/heads/a"b`, change)
			if !strings.Contains(log, "on-end.d/status: exit 0") || len(requests) != 1 {
				t.Fatalf("%s: %d requests, log %s", service.name, len(requests), log)
			}
			q := <-requests
			if q.method != "POST" || q.path != service.path+"/statuses/"+sha || q.token != service.token {
				t.Errorf("%s: request %+v", service.name, q)
			}
			var got map[string]string
			if err := json.Unmarshal([]byte(q.body), &got); err != nil {
				t.Fatalf("%s: %v in %s", service.name, err, q.body)
			}
			ref, isLab := got["ref"]
			if got["state"] != state || got[service.context] != "quire" || !strings.HasPrefix(got["description"], "run "+id+" ") ||
				!strings.Contains(got["target_url"], id) || isLab != (service.name == "gitlab") || isLab && ref != `a"b` {
				t.Errorf("%s, %s: sent %s", service.name, change, q.body)
			}
		}
	}
	answers <- 503 // retried
	answers <- 201
	if _, log := r.end("refs/tags/v1", "complete"); !strings.Contains(log, "on-end.d/status: exit 0") || len(requests) != 2 {
		t.Fatalf("%d requests, log %s", len(requests), log)
	}
	answers <- 401
	if _, log := r.end("refs/heads/main", "complete"); !strings.Contains(log, "401") || !strings.Contains(log, "on-end.d/status: exit 22") || strings.Contains(log, "s3cret") {
		t.Errorf("log %s", log)
	}
}
