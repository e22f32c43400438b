package executor

import (
	"strings"
	"testing"
	"time"

	"quire/lib/pipeline"
	"quire/lib/runlog"
)

func TestConsole(t *testing.T) {
	jobs := []*job{{spec: &pipeline.Job{ID: "a"}}, {spec: &pipeline.Job{ID: "long-name"}}}
	var b strings.Builder
	c := newConsole(Options{Output: &b}, jobs)
	out, errs := c.lines("a"), c.lines("a")
	out.Write([]byte("one\ntw"))
	errs.Write([]byte("error\n"))
	out.Write([]byte("o\nrest"))
	out.flush()
	c.command("long-name", "first line\nsecond")
	c.ended(JobOutcome{ID: "a", State: runlog.Failed, Error: "why", Allowed: true, Started: time.Unix(0, 0), Finished: time.Unix(75, 0)})
	c.ended(JobOutcome{ID: "long-name", State: runlog.Skipped, Error: "input 'a' failed"})
	want := `a         | one
a         | error
a         | two
a         | rest
long-name | $ first line...
a         | failed: why (allowed) (1m15s)
long-name | skipped: input 'a' failed
`
	if b.String() != want {
		t.Errorf("the console shows\n%swant\n%s", b.String(), want)
	}
}

func TestConsoleColors(t *testing.T) {
	var b strings.Builder
	c := newConsole(Options{Output: &b, Color: true}, nil)
	c.ended(JobOutcome{ID: "a", State: runlog.Failed, Error: "why"})
	if !strings.Contains(b.String(), "\x1b[31mfailed: why\x1b[0m") {
		t.Errorf("the console shows %q", b.String())
	}
}

// On a terminal the last line is erased before each print and written again after it. It is
// never wider than the terminal.
func TestView(t *testing.T) {
	jobs := []*job{{spec: &pipeline.Job{ID: "a"}}, {spec: &pipeline.Job{ID: "b"}}}
	var b strings.Builder
	columns := 80
	c := newConsole(Options{Output: &b, Columns: func() int { return columns }}, jobs)
	c.started("a")
	c.say("a", "text")
	c.started("b")
	c.ended(JobOutcome{ID: "a", State: runlog.Failed, Error: "why"})
	columns = 10
	c.say("b", "text")
	c.close()
	c.say("b", "after")
	want := clearLine + "a | text\n0/2 jobs | a 0s" +
		clearLine + "a | failed: why\n1/2 jobs, 1 failed | b 0s" +
		clearLine + "b | text\n1/2 jobs," +
		clearLine + "b | after\n"
	if b.String() != want {
		t.Errorf("the terminal gets\n%q, want\n%q", b.String(), want)
	}
}

// The beginning of a line is shown before the rest is printed. Then the whole line is.
func TestViewShowsIncompleteLines(t *testing.T) {
	var b strings.Builder
	c := newConsole(Options{Output: &b, Columns: func() int { return 80 }}, []*job{{spec: &pipeline.Job{ID: "a"}}})
	c.started("a")
	l := c.lines("a")
	l.Write([]byte("10%\r\x1b[32m20%\x1b[0m\r"))
	l.pause()
	l.Write([]byte("done\nPass"))
	l.Write([]byte("word: "))
	l.pause()
	l.flush()
	want := clearLine + "0/1 jobs | a 0s: 20%" +
		clearLine + "a | done\n0/1 jobs | a 0s" +
		clearLine + "0/1 jobs | a 0s: Password: " +
		clearLine + "a | Password: \n0/1 jobs | a 0s"
	if b.String() != want {
		t.Errorf("the terminal gets\n%q, want\n%q", b.String(), want)
	}
}
