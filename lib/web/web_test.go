package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quire/lib/push"
	"quire/lib/runlog"
	"quire/lib/runstore"
)

// A fixture is a root with runs, and its pages.
type fixture struct {
	*testing.T
	*Handler
	store *runstore.Store
}

func newFixture(t *testing.T, config string) *fixture {
	t.Helper()
	root := t.TempDir()
	store, err := runstore.Open(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{t, &Handler{Root: root, Log: func(err error) { t.Errorf("logged: %v", err) }}, store}
	f.write("config.toml", config)
	return f
}

// write writes a file below the root.
func (f *fixture) write(name, text string) {
	f.Helper()
	path := filepath.Join(f.Root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		f.Fatal(err)
	}
}

// run creates a run and applies the changes.
func (f *fixture) run(repo, ref string, changes ...runstore.Change) *runstore.Run {
	f.Helper()
	runs, err := f.store.Create(runstore.Facts{Facts: push.Facts{
		Repo: repo, GitDir: "/srv/git/secret.git", Ref: ref, SHA: strings.Repeat("a", 40), Pusher: "<i>pat</i>",
	}, Executor: "host", Subject: "A <subject> & more"})
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range changes {
		if err := runs[0].Transition(c); err != nil {
			f.Fatal(err)
		}
	}
	return runs[0]
}

// record writes a file of a run.
func (f *fixture) record(run *runstore.Run, name, text string) {
	f.Helper()
	rel, err := filepath.Rel(f.Root, filepath.Join(run.Dir, name))
	if err != nil {
		f.Fatal(err)
	}
	f.write(rel, text)
}

var (
	active   = runstore.Change{State: runstore.Active}
	complete = runstore.Change{State: runstore.Complete}
	failure1 = runstore.Change{State: runstore.Failed, Reason: "exit", Code: 1, Note: "cannot open '/opt/tools/x'"}
)

const shownConfig = "url = \"https://ci.example.org/\"\n[repo.\"work/*\"]\nweb = true\n"

// fill adds jobs to a run. One of them failed.
func (f *fixture) fill(run *runstore.Run) {
	f.Helper()
	f.record(run, runlog.EventsFile, `{"event":"run-start","jobs":[{"id":"build","inputs":["quire/push"]},{"id":"log","inputs":["build"]},{"id":"..","inputs":["log","build"]}],"time":"2026-01-01T00:00:00Z"}
{"event":"job-start","job":"build","time":"2026-01-01T00:00:00Z"}
{"event":"sh-start","job":"build","sh":1,"cmd":"\nmake <all>\n\tinstall\u001b[1m\n","log":"jobs/build/sh-1.log","time":"2026-01-01T00:00:00Z"}
{"event":"sh-end","job":"build","sh":1,"exit":0,"time":"2026-01-01T00:00:01Z"}
{"event":"job-end","job":"build","state":"complete","time":"2026-01-01T00:01:12Z"}
{"event":"job-start","job":"log","time":"2026-01-01T00:00:01Z"}
{"event":"sh-start","job":"log","sh":1,"cmd":"cat '`+run.Dir+`/workspace/x' /etc/passwd","log":"jobs/log/sh-1.log","time":"2026-01-01T00:00:01Z"}
{"event":"sh-end","job":"log","sh":1,"exit":2,"time":"2026-01-01T00:00:02Z"}
{"event":"job-end","job":"log","state":"failed","reason":"exit","code":2,"error":"boom","time":"2026-01-01T00:00:02Z"}
{"event":"job-start","job":"..","time":"2026-01-01T00:00:02Z"}
{"event":"sh-start","job":"..","sh":1,"cmd":"true","log":"jobs/%2E%2E/sh-1.log","time":"2026-01-01T00:00:02Z"}
`)
	f.record(run, "jobs/build/sh-1.log", "2026-01-01T00:00:00.5Z stdout F \x1b[32mgreen\x1b[0m <b>bold</b>\n")
	f.record(run, "jobs/log/sh-1.log", "2026-01-01T00:00:01.5Z stdout F 10%\r20%\r30%\n2026-01-01T00:00:01.5Z stderr P half\n2026-01-01T00:00:01.5Z stderr F  whole </pre><script>alert(1)</script>\n")
	f.record(run, "jobs/build/artifacts/a dir/<page>.html", "<script>alert(3)</script>")
	f.record(run, runstore.LogFile, "build | \x1b]0;title\x07<script>alert(2)</script>\nlog | x\n")
}

func TestPages(t *testing.T) {
	f := newFixture(t, shownConfig)
	run := f.run("work/a b.git", "refs/heads/main", active)
	f.fill(run)
	if err := run.SaveMessage("A <subject> & more\n\nWhy: <b>\x1b[31m\xff\nand how\n"); err != nil {
		t.Fatal(err)
	}
	if err := run.Transition(failure1); err != nil {
		t.Fatal(err)
	}
	f.run("work/a b.git", "refs/heads/docs", active, complete)
	f.run("work/a b.git", "refs/heads/<b>&'\"", active)
	f.run("work/a b.git", "refs/tags/v1")
	f.run("other.git", "refs/heads/main", active, complete)
	base := "/work/a%20b.git/" + run.ID
	for address, want := range map[string][]string{
		"/":                                  {"work/a b.git", "main", "failed", "docs", "A <subject> & more"},
		"/work/a%20b.git/":                   {"v1", "<i>pat</i>", "<b>&'\"", "any"},
		"/work/a%20b.git/?ref=docs":          {"Runs of docs"},
		"/work/a%20b.git/?state=superseded":  {"No runs."},
		base:                                 {"exit 1", "3 jobs, 2 failed", "a dir/<page>.html", "25 bytes", "Why: <b>?[31m?\nand how", "make <all>\n    install?[1m", "1m 12s", "half whole", "30%", "exit 2", "cannot open 'x'", "cat 'workspace/x' /etc/passwd"},
		base + "/build/log":                  {"3 lines", "$ make <all>\n", ">     install?[1m\n"},
		base + "/log":                        {"2 lines", "<script>alert(2)</script>"},
		base + "/log/log":                    {"exit 2", "3 lines", "half whole </pre><script>alert(1)</script>"},
		base + "/%252E%252E/log":             {"1 line", "$ true"},
		"/work/a%20b.git/badge.svg":          {"failed"},
		"/work/a%20b.git/badge.svg?ref=docs": {"complete"},
		"/work/a%20b.git/badge.svg?ref=x":    {"no runs"},
		"/work/a%20b.git/feed.atom":          {"urn:uuid:" + run.ID, "https://ci.example.org/work/a%20b.git/" + run.ID, "A &lt;subject&gt;"},
		base + ".json":                       {`"subject":"A \u003csubject\u003e \u0026 more"`},
	} {
		p := get(t, f.Handler, address)
		shown := p.text
		if shown == "" {
			shown = p.body
		}
		for _, text := range want {
			if p.code != 200 || !strings.Contains(shown, text) {
				t.Errorf("%s: status %d, no %q in:\n%s", address, p.code, text, p.body)
			}
		}
	}
	for address, p := range crawl(t, f.Handler) {
		if strings.Contains(address, "/log?") || strings.Contains(address, "/artifacts/") {
			continue // a log and an artifact may have anything
		}
		for _, path := range []string{f.Root, "/srv/git", "secret.git", "/opt/tools", "other.git"} {
			if strings.Contains(p.body, path) {
				t.Errorf("%s names %s", address, path)
			}
		}
		if strings.Contains(p.body, "<script>alert") || strings.ContainsAny(p.text, "\x1b\x07") {
			t.Errorf("%s is not safe:\n%s", address, p.body)
		}
	}
	var record struct{ Dir, GitDir *string }
	if err := json.Unmarshal([]byte(get(t, f.Handler, base+".json").body), &record); err != nil || record.Dir != nil {
		t.Errorf("JSON has a directory, or is none: %v", err)
	}
}

// Many repositories are on several small pages, each of them once.
func TestFrontPages(t *testing.T) {
	f := newFixture(t, shownConfig)
	for i := range 100 {
		f.run(fmt.Sprintf("work/repository-%d.git", i), "refs/heads/main", active, complete)
		for n := range i % 8 {
			f.run(fmt.Sprintf("work/repository-%d.git", i), fmt.Sprintf("refs/heads/topic-%d", n), active)
		}
	}
	f.write("repos/work/new.git/HEAD", "")
	times := map[string]int{}
	for n, more := 1, true; more; n++ {
		p := get(t, f.Handler, fmt.Sprintf("/?page=%d", n))
		if p.code != 200 || len(p.body) > 30_000 {
			t.Errorf("page %d: status %d, %d bytes", n, p.code, len(p.body))
		}
		for _, link := range p.links {
			times[link]++
		}
		more = slices.Contains(p.links, fmt.Sprintf("?page=%d", n+1))
	}
	for i := range 100 {
		if link := fmt.Sprintf("./work/repository-%d.git/", i); times[link] != 1 {
			t.Errorf("%d links to %s", times[link], link)
		}
	}
	if times["./work/new.git/"] != 1 || times["?page=3"] == 0 {
		t.Errorf("links: %v", times)
	}
	for address, code := range map[string]int{"/?page=99": 404, "/?page=-1": 200, "/?page=x": 200, "/?page=99999999999999999999": 404} {
		if p := get(t, f.Handler, address); p.code != code {
			t.Errorf("%s: status %d", address, p.code)
		}
	}
}

// A skipped run is shown as skipped on all pages, and is not a failure.
func TestSkipped(t *testing.T) {
	f := newFixture(t, shownConfig)
	f.run("work/a.git", "refs/heads/main", active, complete)
	runs, err := f.store.Create(runstore.Facts{
		Facts: push.Facts{Repo: "work/a.git", GitDir: "/srv/x", Ref: "refs/heads/main", SHA: "abc"}, Skipped: true, Note: "skipped by [skip ci]",
	})
	if err != nil {
		t.Fatal(err)
	}
	base := "/work/a.git/"
	for address, want := range map[string]string{
		"/": "skipped", base: "skipped", base + "?state=skipped": "Runs of skipped", base + "badge.svg": "complete",
		base + runs[0].ID: "skipped by [skip ci]", base + runs[0].ID + "/log": "skipped", base + "feed.atom": "skipped: abc",
	} {
		p := get(t, f.Handler, address)
		if !strings.Contains(p.body, want) || strings.Contains(p.text, "✗") || strings.Contains(p.body, `"s failed"`) || strings.Contains(p.body, "cancelled") {
			t.Errorf("%s: status %d, want %q:\n%s", address, p.code, want, p.body)
		}
	}
}

// Artifacts are downloads, and a symbolic link among them is not followed.
func TestArtifacts(t *testing.T) {
	f := newFixture(t, shownConfig)
	run := f.run("work/a.git", "refs/heads/main", active)
	f.fill(run)
	for name, target := range map[string]string{"link": "../../../run.toml", "up": ".."} {
		if err := os.Symlink(target, filepath.Join(run.Dir, "jobs/build/artifacts", name)); err != nil {
			t.Fatal(err)
		}
	}
	base := "/work/a.git/" + run.ID
	for address, code := range map[string]int{
		"/build/artifacts/a%20dir/%3Cpage%3E.html": 200, "/build/artifacts/a%20dir": 404, "/build/artifacts/link": 404,
		"/build/artifacts/up/sh-1.log": 404, "/build/artifacts/none": 404, "/log/artifacts/x": 404, "/none/artifacts/x": 404,
		"/build/artifacts/a%20dir/../../sh-1.log": 404, "/build/artifacts//": 404,
	} {
		w := httptest.NewRecorder()
		f.ServeHTTP(w, httptest.NewRequest("GET", base+address, nil))
		head := w.Header()
		if w.Code != code || code == 200 && (head.Get("Content-Disposition") != `attachment; filename="<page>.html"` ||
			head.Get("Content-Type") != "application/octet-stream" || head.Get("X-Content-Type-Options") != "nosniff") {
			t.Errorf("%s: status %d, %v", address, w.Code, head)
		}
	}
}

// All addresses of a hidden repository have the answer of a missing one.
func TestHidden(t *testing.T) {
	f := newFixture(t, shownConfig)
	hidden := f.run("other.git", "refs/heads/main", active, complete)
	f.fill(hidden)
	f.record(hidden, "jobs/build/artifacts/x", "x")
	shown := f.run("work/a.git", "refs/heads/main", active, complete)
	missing := get(t, f.Handler, "/missing.git/")
	if missing.code != 404 {
		t.Fatalf("a missing repository: status %d", missing.code)
	}
	for _, address := range []string{
		"/other.git/", "/other.git", "/other.git/feed.atom", "/other.git/badge.svg", "/other.git/" + hidden.ID,
		"/other.git/" + hidden.ID + ".json", "/other.git/" + hidden.ID + "/log", "/other.git/" + hidden.ID + "/build/log",
		"/other.git/" + hidden.ID + "/build/artifacts/x", "/work/a.git/" + hidden.ID, "/work/b.git/", "/work/b.git", "/work/", "/work",
		"/work/a.git/" + shown.ID + "/", "/work/a.git/" + shown.ID + "/build/log", "/work/a.git/nothing",
		"/work/../other.git/", "/work/a.git/../../config.toml", "/work//a.git/", "/./work/a.git/", "/work/a.git/" + shown.ID + "/build/artifacts/../../../run.toml",
		"/work/a.git/" + shown.ID + "/../artifacts/x", "/work/a.git/" + shown.ID + "/build/artifacts/", "/work/a.git%00/", "/" + strings.Repeat("a/", 3000),
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path, _ = strings.CutSuffix(strings.ReplaceAll(address, "%00", "\x00"), "")
		f.ServeHTTP(w, r)
		depth := strings.NewReplacer("../", "", "./", "")
		if w.Code != 404 || depth.Replace(w.Body.String()) != depth.Replace(missing.body) {
			t.Errorf("%.80s: status %d:\n%s", address, w.Code, w.Body)
		}
	}
}

func TestMethods(t *testing.T) {
	f := newFixture(t, shownConfig)
	f.run("work/a.git", "refs/heads/main", active, complete)
	for _, test := range []struct {
		method, address string
		code            int
		body            bool
	}{
		{"GET", "/", 200, true}, {"HEAD", "/", 200, false}, {"POST", "/", 405, true}, {"PUT", "/work/a.git/", 405, true},
		{"DELETE", "/x", 405, true}, {"GET", "/work/a.git", 301, false}, {"GET", "/style.css", 200, true}, {"GET", "/live.js", 200, true},
	} {
		w := httptest.NewRecorder()
		f.ServeHTTP(w, httptest.NewRequest(test.method, test.address, nil))
		if w.Code != test.code || (w.Body.Len() > 0) != test.body || w.Code == 405 && w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s %s: status %d, %d bytes", test.method, test.address, w.Code, w.Body.Len())
		}
		for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options"} {
			if w.Header().Get(name) == "" {
				t.Errorf("%s %s has no %s", test.method, test.address, name)
			}
		}
		if w.Code == 301 && w.Header().Get("Location") != "a.git/" {
			t.Errorf("Location: %s", w.Header().Get("Location"))
		}
	}
}

// A name may contain any byte of a path.
func TestNames(t *testing.T) {
	f := newFixture(t, "[repo.\"**\"]\nweb = true\n")
	for _, name := range []string{"a", "a/b", "<script>x", "100%25", "q?x#y", "ünï", "a:b", "\"'", "bad\xff", "new\nline", "style.css", "feed.atom", "badge.svg", "x/feed.atom"} {
		f.fill(f.run(name, "refs/heads/"+name, active))
	}
	if n := len(crawl(t, f.Handler)); n < 14*5 {
		t.Errorf("only %d pages", n)
	}
}

// A run without events, or with invalid ones, has pages too.
func TestHostileRecords(t *testing.T) {
	for name, events := range map[string]string{
		"none":      "",
		"nonsense":  "x\n{\n[]\n{}\n",
		"states":    `{"event":"job-start","job":"a"}` + "\n" + `{"event":"job-end","job":"a","state":"\"><script>","reason":"</dd>"}` + "\n",
		"ids":       `{"event":"run-start","jobs":[{"id":""},{"id":"a/b"},{"id":"../.."},{"id":"a","inputs":["a","z","b"]},{"id":"b","inputs":["a"]}]}` + "\n" + `{"event":"sh-start","job":"../..","sh":1,"log":"../../../config.toml"}` + "\n",
		"sh twice":  strings.Repeat(`{"event":"sh-start","job":"a","sh":1,"cmd":"x","log":"jobs/a/sh-1.log"}`+"\n", 3),
		"too many":  `{"event":"run-start","jobs":[` + strings.TrimSuffix(strings.Repeat(`{"id":"x"},`, 10)+manyJobs(300), ",") + "]}\n",
		"long text": `{"event":"sh-start","job":"a","sh":1,"cmd":"` + strings.Repeat("<", 1<<15) + `"}` + "\n",
		"old times": `{"event":"job-start","job":"a","time":"9999-01-01T00:00:00Z"}` + "\n" + `{"event":"job-end","job":"a","state":"failed","time":"0001-01-01T00:00:00Z"}` + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, shownConfig)
			run := f.run("work/a.git", "refs/heads/main", active)
			f.record(run, runlog.EventsFile, events)
			f.record(run, runstore.LogFile, "\x00\xff\x1b[31m"+strings.Repeat("x", 1<<20)+"\nlast")
			if err := run.Transition(failure1); err != nil {
				t.Fatal(err)
			}
			for address, p := range crawl(t, f.Handler) {
				if strings.HasSuffix(address, run.ID) && len(p.body) > 80<<10 {
					t.Errorf("the page has %d bytes", len(p.body))
				}
			}
		})
	}
}

func manyJobs(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"id":"job-%d","inputs":["job-%d"]},`, i, i/2)
	}
	return b.String()
}

// The failed run of a gate says that the push was refused, and the badge ignores it: its
// commit never reached the branch.
func TestGate(t *testing.T) {
	f := newFixture(t, shownConfig)
	f.run("work/a.git", "refs/heads/main", active, complete)
	for _, end := range []runstore.Change{failure1, complete} {
		runs, err := f.store.Create(runstore.Facts{Facts: push.Facts{
			Repo: "work/a.git", GitDir: "/srv/x", Ref: "refs/heads/main", SHA: "abc", Trigger: push.ByGate}, Gate: true})
		if err == nil {
			err = errors.Join(runs[0].Transition(active), runs[0].Transition(end))
		}
		if err != nil {
			t.Fatal(err)
		}
		p := get(t, f.Handler, "/work/a.git/"+runs[0].ID)
		if refused := strings.Contains(p.text, "push refused, exit 1"); refused != (end == failure1) || !strings.Contains(p.text, "gate") {
			t.Errorf("a run of a gate that is %s: %s", end.State, p.text)
		}
		if badge := get(t, f.Handler, "/work/a.git/badge.svg"); !strings.Contains(badge.body, "complete") {
			t.Errorf("a run of a gate that is %s: the badge is %s", end.State, badge.body)
		}
	}
}

// The page of a repository with many runs and refs, and of a run with many jobs, is small.
func TestPageSize(t *testing.T) {
	f := newFixture(t, shownConfig)
	for i := range 60 {
		f.run("work/repository.git", fmt.Sprintf("refs/heads/topic/parser-%d", i), active, complete)
	}
	if p := get(t, f.Handler, "/work/repository.git/"); len(p.body) > 30_000 {
		t.Errorf("the page of a repository has %d bytes", len(p.body))
	}
	run := f.run("work/a.git", "refs/heads/main", active, complete)
	var events strings.Builder
	fmt.Fprintf(&events, `{"event":"run-start","jobs":[%s]}`+"\n", strings.TrimSuffix(manyJobs(20), ","))
	for i := range 20 {
		for n := range 4 {
			fmt.Fprintf(&events, `{"event":"sh-start","job":"job-%d","sh":%d,"cmd":"make a target of this job","log":"x"}`+"\n", i, n+1)
			fmt.Fprintf(&events, `{"event":"sh-end","job":"job-%d","sh":%d,"exit":0}`+"\n", i, n+1)
		}
	}
	f.record(run, runlog.EventsFile, events.String())
	if p := get(t, f.Handler, "/work/a.git/"+run.ID); len(p.body) > 30_000 {
		t.Errorf("the page has %d bytes", len(p.body))
	}
}

// Requests change nothing in the root, even if it has no records.
func TestReadsOnly(t *testing.T) {
	root := t.TempDir()
	h := &Handler{Root: root, Log: func(err error) { t.Error(err) }}
	if p := get(t, h, "/"); p.code != 200 || !strings.Contains(p.text, "web = true") {
		t.Errorf("empty root: %d %s", p.code, p.body)
	}
	if entries, _ := os.ReadDir(root); len(entries) > 0 {
		t.Errorf("the root has %v", entries)
	}
	logged := 0
	gone := &Handler{Root: filepath.Join(root, "gone"), Log: func(error) { logged++ }}
	if p := get(t, gone, "/"); p.code != 500 || strings.Contains(p.body, root) || logged == 0 {
		t.Errorf("missing root: %d, %d messages", p.code, logged)
	}
}

func TestTimes(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	v := &visit{Handler: &Handler{}, now: now}
	for ago, want := range map[time.Duration]string{
		0: "now", 4 * time.Minute: "4 min ago", 3 * time.Hour: "3 h ago", 72 * time.Hour: "3 days ago",
		40 * 24 * time.Hour: "2026-01-20", -time.Hour: "now",
	} {
		if got := v.When(now.Add(-ago)).People; got != want {
			t.Errorf("%v ago: %s, want %s", ago, got, want)
		}
	}
	for took, want := range map[time.Duration]string{
		0: "0.0s", 300 * time.Millisecond: "0.3s", 72 * time.Second: "1m 12s", 2*time.Hour + 5*time.Minute: "2h 05m", -time.Second: "0.0s",
	} {
		if got := tookText(now, now.Add(took)); got != want {
			t.Errorf("%v: %s, want %s", took, got, want)
		}
	}
}

func TestStyle(t *testing.T) {
	for name, test := range map[string]struct {
		lines []string
		want  string
	}{
		"plain":      {[]string{"a <b>"}, "[:a <b>]\n"},
		"colours":    {[]string{"\x1b[1;31mred\x1b[0m and \x1b[92mgreen\x1b[39m"}, "[bold f1:red][: and ][f10:green]\n"},
		"go on":      {[]string{"\x1b[33ma", "b\x1b[mc"}, "[f3:a]\n[f3:b][:c]\n"},
		"palette":    {[]string{"\x1b[38;5;9ma\x1b[48;5;21mb\x1b[38;5;240mc"}, "[f9:a][f9 b12:b][f8 b12:c]\n"},
		"true":       {[]string{"\x1b[38;2;250;10;10ma\x1b[0;4;3mb"}, "[f9:a][italic under:b]\n"},
		"incomplete": {[]string{"\x1b[38ma\x1b[38;5mb\x1b[38;2;1mc\x1b[999md"}, "[:a][:b][:c][:d]\n"},
		"other":      {[]string{"\x1b[2Ja\x07"}, "[:?[2Ja?]\n"},
		"overwrite":  {[]string{"10%\r20%\x1b[K"}, "[:20%]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var s style
			var got strings.Builder
			for _, text := range test.lines {
				for _, part := range s.line(shownLine(text)).Spans {
					fmt.Fprintf(&got, "[%s:%s]", part.Class, part.Text)
				}
				got.WriteByte('\n')
			}
			if diff := cmp.Diff(test.want, got.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
