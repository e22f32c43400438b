package test

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var updatePicture = flag.Bool("picture", false, "make docs/run.png from the page of a run")

// webPipeline has jobs that succeed, fail, print markup and escape sequences, and wait.
const webPipeline = `(local ci (require :quire.ci))
(ci.job :build [:quire/push] (fn [{: sh}] (sh "printf 'building \\033[32mgreen\\033[0m\\n'")
  (sh "echo page >$QUIRE_ARTIFACTS/report.html")))
(ci.job "<img src=x onerror=alert(1)>" [:quire/push] (fn [{: sh}]
  (sh "printf '<script>document.title=1</script>\\033]0;title\\007 10%%\\r20%%\\n'")))
(ci.job :test [:build] (fn [{: sh}] (sh "echo '--- FAIL: TestParse/nested (0.01s)
    parse_test.go:41: got 3 nodes, want 4' >&2; exit 2")))
(ci.job :deploy [:test] (fn [{: sh}] (sh "echo deployed")))
(ci.job :wait [:quire/push] (fn [{: sh}] (sh "WAIT")) {:when {:branch :live}})
`

// picturePipeline is the pipeline of the run in the README.
const picturePipeline = `(local ci (require :quire.ci))
(ci.job :build [:quire/push] (fn [{: sh}] (sh "make")))
(ci.job :lint [:quire/push] (fn [{: sh}] (sh "make lint")))
(ci.job :test [:build] (fn [{: sh}] (sh "make test")))
(ci.job :deploy [:test :lint] (fn [{: sh}] (sh "make deploy")))
(ci.job :clean [:build] (fn [{: sh}] (sh "make clean")) {:always true})
`

const pictureMakefile = `all:
	sleep 1.2; echo built >$$QUIRE_ARTIFACTS/site.tar.gz
lint clean:
	sleep 0.4
test:
	@echo '--- FAIL: TestParse/nested (0.01s)'; echo '    parse_test.go:41: got 3 nodes, want 4'; exit 2
`

// web returns the address of the pages of quire-web, which lighttpd runs by CGI, in a
// world with a run that has ended.
func web(t *testing.T, w *world) string {
	t.Helper()
	w.write(t, "var/quire/config.toml", "executor = \"host\"\njobs = 4\nurl = \"https://ci.example.org\"\n[repo.\"work/**\"]\nweb = true\n")
	wait := "echo first; while [ ! -e " + w.dir + "/go ]; do sleep 0.05; done; echo second"
	w.write(t, "foo/.quire/ci.fnl", strings.Replace(webPipeline, "WAIT", wait, 1))
	w.sh(t, "foo", "git commit -qam 'Say goodbye to the old parser\n\nIt was slow, and <b>nobody</b> read it.' && git push -q -o ci.wait ../var/quire/repos/work/foo.git main || :")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	w.write(t, "lighttpd.conf", fmt.Sprintf(`server.document-root = "%[1]s"
server.bind = "127.0.0.1"
server.port = %[2]s
server.errorlog = "%[1]s/lighttpd.log"
server.modules += ( "mod_cgi", "mod_alias", "mod_setenv" )
server.stream-response-body = 1
setenv.set-environment = ( "QUIRE_ROOT" => "%[1]s/var/quire" )
alias.url = ( "/ci" => "%[3]s/bin/quire-web" )
$HTTP["url"] =~ "^/ci" { cgi.assign = ( "" => "" ) }
`, w.dir, port, prefix)) // the last five lines are from quire-web(1)
	server := exec.Command("lighttpd", "-D", "-f", filepath.Join(w.dir, "lighttpd.conf"))
	server.Env = w.env
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Process.Kill(); server.Wait() })
	site := "http://127.0.0.1:" + port + "/ci/"
	for range 100 {
		if answer, err := http.Get(site); err == nil {
			answer.Body.Close()
			return site
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("lighttpd does not answer")
	return ""
}

// fetch returns a response of a web server, and its body.
func fetch(t *testing.T, method, address string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := new(http.Transport).RoundTrip(r) // does not follow redirects
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

// TestWebCGI requests pages of quire-web through a web server.
func TestWebCGI(t *testing.T) {
	t.Parallel()
	needs(t, "lighttpd")
	w := newWorld(t, "web")
	site := web(t, w)
	id := strings.TrimSpace(w.sh(t, "", "quire-runstate list --repo work/foo.git --ref main --limit 1 | cut -f 1"))
	run := site + "work/foo.git/" + id
	for _, test := range []struct {
		method, address string
		code            int
		want            string
	}{
		{"GET", site, 200, "work/foo.git"},
		{"GET", strings.TrimSuffix(site, "/"), 301, ""},
		{"GET", site + "style.css", 200, ":root"},
		{"GET", site + "work/foo.git/?state=failed&ref=main", 200, "Say goodbye"},
		{"GET", run, 200, "It was slow, and &lt;b&gt;nobody&lt;/b&gt; read it."},
		{"GET", run + "/log", 200, "parse_test.go:41"},
		{"GET", run + "/%3Cimg%20src=x%20onerror=alert(1)%3E/log", 200, "20%"},
		{"GET", run + ".json", 200, `"state":"failed"`},
		{"GET", run + "/build/artifacts/report.html", 200, "page\n"},
		{"GET", site + "foo.git/", 404, "no such page"},
		{"GET", site + "gone.git/", 404, "no such page"},
		{"POST", site, 405, ""},
		{"GET", site + "?--root+/tmp", 400, "needs"},
		{"GET", site + "?-h", 400, "needs"},
	} {
		answer, body := fetch(t, test.method, test.address)
		if answer.StatusCode != test.code || !strings.Contains(body, test.want) || strings.Contains(body, w.dir) && test.address != run+"/log" {
			t.Errorf("%s %s: %s, want %q:\n%.2000s", test.method, test.address, answer.Status, test.want, body)
		}
	}
	if _, body := fetch(t, "HEAD", site); body != "" {
		t.Errorf("HEAD has a body: %s", body)
	}
	answer, _ := fetch(t, "GET", run+"/build/artifacts/report.html")
	if got := answer.Header.Get("Content-Disposition"); got != "attachment; filename=report.html" {
		t.Errorf("Content-Disposition of an artifact: %s", got)
	}
	// The log of an unfinished run arrives as it grows.
	pushed := w.sh(t, "foo", "git push ../var/quire/repos/work/foo.git main:live 2>&1")
	_, live, ok := strings.Cut(pushed, "https://ci.example.org/")
	if !ok {
		t.Fatalf("the push names no address: %s", pushed)
	}
	live = site + strings.Fields(live)[0]
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", live+"/log?live=0", nil)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	seen := ""
	for lines := bufio.NewScanner(stream.Body); lines.Scan() && !strings.Contains(seen, "event: end"); {
		seen += lines.Text() + "\n"
		if strings.Contains(seen, "| first") {
			w.write(t, "go", "")
		}
	}
	w.sh(t, "", "quire-runstate wait work/foo.git@live || :")
	if first, last, ok := strings.Cut(seen, "| first"); !ok || !strings.Contains(last, "| second") || strings.Contains(first, "| second") {
		t.Errorf("streamed: %s", seen)
	}
}

// TestWebBrowser checks the pages with a browser.
func TestWebBrowser(t *testing.T) {
	t.Parallel()
	needs(t, "lighttpd", "chromium")
	w := newWorld(t, "web")
	site := web(t, w)
	id := strings.TrimSpace(w.sh(t, "", "quire-runstate list --repo work/foo.git --ref main --limit 1 | cut -f 1"))
	run := site + "work/foo.git/" + id
	b := newBrowser(t)

	// Markup and scripts in names and logs are text. The script that a test puts into
	// the page does not run either.
	b.size(900)
	for _, address := range []string{site, site + "work/foo.git/", run + "/%3Cimg%20src=x%20onerror=alert(1)%3E/log", run + "/log", run} {
		b.open(address)
		b.await("document.querySelector('main h1') && !document.querySelector('script, img, main b') && document.title != '1'")
		b.await("getComputedStyle(document.querySelector('nav')).display == 'flex'") // the style is loaded
	}
	b.eval("document.body.append(Object.assign(document.createElement('script'), {textContent: 'document.title = 1'}))")
	b.await("document.title != '1'")
	light := b.picture()
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": "dark"}}})
	if dark := b.picture(); bytes.Equal(light, dark) {
		t.Errorf("the page is the same in the dark")
	}
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{}})

	// A log shows its times on request.
	b.open(run + "/log")
	b.await("getComputedStyle(document.querySelector('.log time')).display == 'none'")
	b.eval("document.querySelector('#times').click()")
	b.await("getComputedStyle(document.querySelector('.log time')).display == 'inline'")

	// The pages of an unfinished run show its log as it grows, and then its end.
	pushed := w.sh(t, "foo", "git push ../var/quire/repos/work/foo.git main:live 2>&1")
	_, path, _ := strings.Cut(pushed, "https://ci.example.org/")
	live := site + strings.Fields(path)[0]
	b.open(live)
	b.await("/\\| first$/m.test(document.querySelector('.log[data-live]').textContent)")
	b.open(live + "/log?from=end")
	b.await("/\\| first$/m.test(document.querySelector('.log').textContent)")
	w.write(t, "go", "")
	b.await("!document.querySelector('.log[data-live]') && /\\| second$/m.test(document.querySelector('.log').textContent) && !!document.querySelector('p .failed')")
	w.sh(t, "foo", "quire-runstate wait work/foo.git@live || :")

	// Exported files are the same pages, and fit into narrow windows.
	w.sh(t, "", "quire-web --export site")
	for _, page := range []string{"index.html", "work/foo.git/index.html", "work/foo.git/" + id + ".html", "work/foo.git/" + id + "/log.html"} {
		for _, width := range []int{320, 1200} {
			b.size(width)
			b.open("file://" + filepath.Join(w.dir, "site", page))
			b.await("getComputedStyle(document.querySelector('nav')).display == 'flex'")
			if got := b.eval("document.scrollingElement.scrollWidth"); got != float64(width) {
				b.picture()
				t.Errorf("%s is %v wide in a window of %d", page, got, width)
			}
		}
	}
	if *updatePicture {
		w.write(t, "foo/.quire/ci.fnl", picturePipeline)
		w.write(t, "foo/Makefile", pictureMakefile)
		w.sh(t, "foo", "git commit -qam 'Say goodbye to the old parser\n\nThe new one reads all that the old one did.'; git push -q -o ci.wait ../var/quire/repos/work/foo.git main || :")
		b.size(900)
		b.open(site + "work/foo.git/" + strings.TrimSpace(w.sh(t, "", "quire-runstate list --repo work/foo.git --limit 1 | cut -f 1")))
		light := b.picture()
		if err := os.WriteFile("../docs/run.png", light, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPicture checks the size of the README's picture.
func TestPicture(t *testing.T) {
	if info, err := os.Stat("../docs/run.png"); err != nil || info.Size() >= 100_000 {
		t.Errorf("docs/run.png is missing or has 100 kB: %v", err)
	}
}
