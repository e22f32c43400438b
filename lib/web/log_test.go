package web

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quire/lib/runlog"
	"quire/lib/runstore"
)

func TestLogPages(t *testing.T) {
	f := newFixture(t, shownConfig)
	run := f.run("work/a.git", "refs/heads/main", active)
	var events, one, two, all strings.Builder
	events.WriteString(`{"event":"job-start","job":"a"}` + "\n")
	for i := 1; i <= 2; i++ {
		fmt.Fprintf(&events, `{"event":"sh-start","job":"a","sh":%d,"cmd":"command %d","log":"jobs/a/sh-%d.log"}`+"\n", i, i, i)
	}
	for i := 1; i <= 1500; i++ {
		fmt.Fprintf(&one, "2026-01-01T00:00:00Z stdout F one %d\n", i)
		fmt.Fprintf(&two, "2026-01-01T00:00:00Z stdout F two %d\n", i)
		fmt.Fprintf(&all, "line %d\n", i)
	}
	f.record(run, runlog.EventsFile, events.String())
	f.record(run, "jobs/a/sh-1.log", one.String())
	f.record(run, "jobs/a/sh-2.log", two.String())
	f.record(run, runstore.LogFile, all.String())
	if err := run.Transition(complete); err != nil {
		t.Fatal(err)
	}
	base := "/work/a.git/" + run.ID
	for address, want := range map[string]struct {
		first, last int
		has, hasNot string
		links       []string
	}{
		"/log":               {1, 1000, "line 1000\n", "line 1001\n", []string{"./log?from=1001"}},
		"/log?from=1001":     {1001, 1500, "line 1500\n", "line 1000\n", []string{"./log"}},
		"/log?from=1234":     {1001, 1500, "line 1234\n", "line 1000\n", nil},
		"/log?from=end":      {1001, 1500, "line 1500\n", "line 1000\n", nil},
		"/log?from=99999":    {1001, 1500, "line 1500\n", "line 1000\n", nil},
		"/log?from=-5":       {1, 1000, "line 1\n", "", nil},
		"/log?from=x":        {1, 1000, "line 1\n", "", nil},
		"/a/log":             {1, 1000, "$ command 1\n", "one 1000\n", []string{"./log?from=1001", "./log?from=3001"}},
		"/a/log?sh=1":        {1, 1000, "$ command 1\n", "", nil},
		"/a/log?sh=2":        {1001, 2000, "$ command 2\n", "", []string{"./log", "./log?from=2001"}},
		"/a/log?from=2001":   {2001, 3000, "two 499\n", "", []string{"./log?from=1001", "./log?from=3001"}},
		"/a/log?sh=7":        {3001, 3002, "two 1500\n", "", nil},
		"/a/log?plain=1":     {0, 0, "two 1500\n", "$ ", nil},
		"/log?plain=1&sh=77": {0, 0, "line 1\nline 2\n", "", nil},
	} {
		p := get(t, f.Handler, base+address)
		if p.text == "" {
			p.text = p.body
		}
		if p.code != 200 || !strings.Contains(p.text, want.has) || want.hasNot != "" && strings.Contains(p.text, want.hasNot) {
			t.Errorf("%s: status %d, want %q and not %q", address, p.code, want.has, want.hasNot)
		}
		for n, is := range map[int]bool{want.first: true, want.last: true, want.first - 1: false, want.last + 1: false} {
			if want.last > 0 && p.ids[fmt.Sprintf("L%d", n)] != is {
				t.Errorf("%s: line %d is shown: %v", address, n, !is)
			}
		}
		for _, link := range want.links {
			if !strings.Contains(p.body, `"`+link+`"`) {
				t.Errorf("%s does not lead to %s", address, link)
			}
		}
	}
	for address, id := range map[string]string{"/a/log?sh=2": "sh-2", "/a/log": "sh-1"} {
		if !get(t, f.Handler, base+address).ids[id] {
			t.Errorf("%s has no %s", address, id)
		}
	}
}

// A line that is longer than the buffer of the reader is cut, and the lines after it are
// shown.
func TestLogWithALongLine(t *testing.T) {
	f := newFixture(t, shownConfig)
	run := f.run("work/a.git", "refs/heads/main", active)
	f.record(run, runstore.LogFile, strings.Repeat("x", 1<<20)+"\nsecond\n")
	for _, end := range []runstore.Change{{}, complete} {
		if end.State != "" {
			if err := run.Transition(end); err != nil {
				t.Fatal(err)
			}
		}
		p := get(t, f.Handler, "/work/a.git/"+run.ID+"/log")
		if !strings.Contains(p.text, "2 lines") || !strings.Contains(p.text, strings.Repeat("x", maxLine)+"...\n") || !strings.Contains(p.text, "second\n") {
			t.Errorf("the log of a run that is %s: %.300s", end.State, p.text)
		}
	}
}

// stream reads events until the function returns false for one.
func stream(t *testing.T, f *fixture, address, last string, more func(event, id, data string) bool) {
	t.Helper()
	s := httptest.NewServer(f.Handler)
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r := httptest.NewRequest("GET", s.URL+address, nil).WithContext(ctx)
	r.RequestURI = ""
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	answer, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if kind := answer.Header.Get("Content-Type"); kind != "text/event-stream" || answer.Header.Get("X-Accel-Buffering") != "no" {
		t.Fatalf("status %d, a %s", answer.StatusCode, kind)
	}
	var event, id, data string
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ": ")
		switch key {
		case "event":
			event = value
		case "id":
			id = value
		case "data":
			data = value
		case "":
			if data != "" && !more(event, id, data) {
				return
			}
			event, data = "", ""
		}
	}
	t.Errorf("the stream ended early: %v", lines.Err())
}

// A stream sends new lines of the log, continues an earlier stream, and ends with the run.
func TestLive(t *testing.T) {
	f := newFixture(t, shownConfig)
	run := f.run("work/a.git", "refs/heads/main", active)
	base := "/work/a.git/" + run.ID
	grow := func(text string) {
		log, err := os.OpenFile(filepath.Join(run.Dir, runstore.LogFile), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		if _, err := log.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	shown := func(data string) string {
		var lines []line
		if err := json.Unmarshal([]byte(data), &lines); err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, l := range lines {
			for _, s := range l.Spans {
				all.WriteString(s.Class + ":" + s.Text)
			}
			all.WriteByte('\n')
		}
		return all.String()
	}
	grow("one\ntwo\nha")
	page := get(t, f.Handler, base+"/log")
	if !strings.Contains(page.body, `data-live="log?live=8" data-lines="2"`) || strings.Contains(page.text, "ha\n") || !strings.Contains(page.body, "live.js") {
		t.Errorf("the page does not follow its log: %s", page.body)
	}
	if page := get(t, f.Handler, base); !strings.Contains(page.body, `data-live="`+run.ID+`/log?live=-8192"`) {
		t.Errorf("the page of the run does not follow the log: %s", page.body)
	}
	type seen struct{ event, id, text string }
	var got []seen
	go func() {
		time.Sleep(50 * time.Millisecond) // the order does not matter: either the stream begins with it or grows by it
		grow("lf\n\x1b[31mred\n")
	}()
	text := ""
	stream(t, f, base+"/log?live=8", "", func(event, id, data string) bool {
		text += shown(data)
		got = append(got, seen{event, id, text})
		return !strings.HasSuffix(text, "f1:red\n")
	})
	if end := got[len(got)-1]; end != (seen{"", "22", ":half\nf1:red\n"}) {
		t.Errorf("streamed: %q", got)
	}
	grow("more\nlast")
	if err := run.Transition(complete); err != nil {
		t.Fatal(err)
	}
	got, text = nil, ""
	stream(t, f, base+"/log?live=8", "22", func(event, id, data string) bool {
		if event == "end" {
			got = append(got, seen{event, id, data})
			return false
		}
		text += shown(data)
		return true
	})
	if len(got) != 1 || got[0].text != "complete" || text != ":more\n:last\n" {
		t.Errorf("streamed: %q, %q", got, text)
	}
	if page := get(t, f.Handler, base+"/log"); strings.Contains(page.body, "live.js") || !strings.Contains(page.text, "last\n") {
		t.Errorf("the page of a run that has ended: %s", page.body)
	}
	// From the middle of a line on, at the end of the log.
	stream(t, f, base+"/log?live=-8", "", func(_, _, data string) bool {
		if shown(data) != ":last\n" {
			t.Errorf("streamed from the end: %q", shown(data))
		}
		return false
	})
	if p := get(t, f.Handler, base+"/log?live=x"); p.code != 404 {
		t.Errorf("a stream from nowhere: status %d", p.code)
	}
}
