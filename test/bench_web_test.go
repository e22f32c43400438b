package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// webPages measures how much longer requests for pages take than an empty one: both
// include the web server and the start of a CGI program.
func (w *bench) webPages() []row {
	const rounds = 51
	w.write("empty/main.go", `package main

import (
	"net/http"
	"net/http/cgi"
)

func main() { cgi.Serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("-")) })) }
`)
	w.sh("cd empty && CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o ../empty-cgi main.go")
	w.webRoot("run", 100_000)
	w.webRoot("front", 10_000)
	run := fmt.Sprintf("/work/a199.git/%s", journalID(100_000-1))
	var rows []row
	for _, page := range []struct{ measure, root, path, limit string }{
		{"page of a run, 20 jobs, at 100,000 runs, more", "run", run, "<15"},
		{"front page, 200 repositories, 10,000 runs, more", "front", "/", "<40"},
	} {
		request := *w
		request.env = append(w.env[:len(w.env):len(w.env)], "GATEWAY_INTERFACE=CGI/1.1", "SERVER_PROTOCOL=HTTP/1.1", "REQUEST_METHOD=GET",
			"HTTP_HOST=localhost", "PATH_INFO="+page.path, "REQUEST_URI="+page.path, "QUIRE_ROOT="+filepath.Join(w.dir, page.root))
		if out := request.run(nil, filepath.Join(prefix, "bin/quire-web")); !strings.HasPrefix(out, "Status: 200") || !strings.Contains(out, "work/a199.git") {
			w.Fatalf("%s: %.500s", page.path, out)
		}
		m := medianTimes(rounds,
			func(int) time.Duration { return request.program("", filepath.Join(prefix, "bin/quire-web")).time(0) },
			func(int) time.Duration { return request.program("", filepath.Join(w.dir, "empty-cgi")).time(0) })
		rows = append(rows, row{page.measure, "an empty CGI program", m[0] - m[1], 0, page.limit})
	}
	return rows
}

// webRoot creates a root with a journal of n runs. The last ones have records.
func (w *bench) webRoot(root string, n int) {
	w.Helper()
	w.newRuns(root, 0)
	w.write(root+"/config.toml", "[repo.\"**\"]\nweb = true\n")
	w.sh("quire-runstate --root %s list", root) // creates the store
	w.writeJournal(root+"/journal", n)
	var events strings.Builder
	events.WriteString(`{"event":"run-start","jobs":[{"id":"job-0"}`)
	for i := range 19 {
		fmt.Fprintf(&events, `,{"id":"job-%d","inputs":["job-%d"]}`, i+1, i/2)
	}
	events.WriteString("]}\n")
	for i := range 20 {
		fmt.Fprintf(&events, `{"event":"job-start","job":"job-%d","time":"2026-01-02T03:04:05Z"}
{"event":"sh-start","job":"job-%[1]d","sh":1,"cmd":"make test","log":"jobs/job-%[1]d/sh-1.log","time":"2026-01-02T03:04:05Z"}
{"event":"sh-end","job":"job-%[1]d","sh":1,"exit":0,"time":"2026-01-02T03:04:06Z"}
{"event":"job-end","job":"job-%[1]d","state":"complete","time":"2026-01-02T03:04:06Z"}
`, i)
	}
	for i := n - 200; i < n; i++ {
		repo, id := fmt.Sprintf("work/a%d.git", i%200), journalID(i)
		dir := fmt.Sprintf("%s/runs/%s/%s/", root, repo, id)
		w.write(dir+"run.toml", fmt.Sprintf("id = '%s'\nrepo = '%s'\ngit-dir = '/srv/x'\nref = 'refs/heads/main'\nsha = '%040x'\n"+
			"pushed-at = 2026-01-02T03:04:05.678Z\npusher = 'pat'\nexecutor = 'host'\nsubject = 'A change'\n", id, repo, i))
		w.write(dir+"history", "2026-01-02T03:04:05.678Z pending\n2026-01-02T03:04:06.678Z active\n2026-01-02T03:04:07.678Z complete\n")
		w.write(dir+"events.jsonl", events.String())
		w.write(root+"/repos/"+repo+"/HEAD", "ref: refs/heads/main\n")
	}
	if _, err := os.Stat(filepath.Join(w.dir, root, "live")); err != nil {
		w.Fatal(err)
	}
}

// journalID returns the id in line i of writeJournal.
func journalID(i int) string { return fmt.Sprintf("019ab0c4-%04x-7%03x-8f00-%012x", i>>12, i&0xfff, i) }
