package view

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"quire/lib/runlog"
	"quire/lib/runstore"
	"quire/lib/text"
)

// A list fits on the screen, whatever the names.
func TestScreen(t *testing.T) {
	tests := map[string]struct {
		repo, ref     string
		columns, rows int
	}{
		"short":     {"a.git", "refs/heads/main", 80, 10},
		"long":      {strings.Repeat("team/", 20) + "app.git", "refs/heads/" + strings.Repeat("feature-", 20), 80, 10},
		"wide":      {"密码密码密码密码密码密码密码.git", "refs/heads/密码密码密码密码密码密码密码", 80, 10},
		"narrow":    {"a.git", "refs/heads/main", 40, 10},
		"hostile":   {"a\nb.git", "refs/heads/\x1b[2J\u202e", 80, 10},
		"no bounds": {"a.git", "refs/heads/main", 80, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := Screen{Columns: tt.columns, Rows: tt.rows}
			code := 1
			for i := range 25 {
				s.Add(runstore.Record{
					ID: fmt.Sprintf("01a22467-75a7-75a2-afff-%012x", i), State: runstore.Failed, Reason: "exit", Code: &code,
					Repo: tt.repo, Ref: tt.ref, SHA: strings.Repeat("a", 40), Created: time.Now(),
				})
			}
			var out strings.Builder
			if err := s.Write(&out); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			want, last := tt.rows+2, "15 more, see --limit"
			if tt.rows == 0 {
				want, last = 26, lines[25]
			}
			if len(lines) != want || lines[len(lines)-1] != last {
				t.Errorf("%d lines, want %d:\n%s", len(lines), want, out.String())
			}
			for _, line := range lines {
				if text.Width(line) > tt.columns || strings.ContainsAny(line, "\x1b\u202e\r") {
					t.Errorf("%q has %d columns", line, text.Width(line))
				}
			}
		})
	}
}

func TestWriteScreen(t *testing.T) {
	run := started(t, "host")
	add(t, run, runlog.EventsFile, `{"event":"job-start","job":"a","time":"2026-01-01T00:00:00Z"}
{"event":"sh-start","job":"a","sh":1,"cmd":"make\n\u001b[2Jtest\n","time":"2026-01-01T00:00:00Z"}
{"event":"sh-end","job":"a","sh":1,"exit":2,"time":"2026-01-01T00:00:01.5Z"}
{"event":"job-end","job":"a","state":"failed","reason":"exit","error":"sh: exit 2\nsecond line","time":"2026-01-01T00:00:02Z"}
`)
	v, err := Read(run)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := v.WriteScreen(&out); err != nil {
		t.Fatal(err)
	}
	want := "\na: failed, 2s\n  sh: exit 2\n  second line\n  $ make\n    ?[2Jtest\n    exit 2, 1.5s\n"
	if !strings.HasSuffix(out.String(), want) {
		t.Errorf("shown is\n%s\nwant the end\n%s", out.String(), want)
	}
}
