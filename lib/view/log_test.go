package view

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quire/lib/push"
	"quire/lib/runlog"
	"quire/lib/runstore"
)

// started makes an active run of the executor.
func started(t *testing.T, executor string) *runstore.Run {
	t.Helper()
	s, err := runstore.Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	runs, err := s.Create(runstore.Facts{Facts: push.Facts{Repo: "foo.git", GitDir: "/srv/foo.git", Ref: "refs/heads/main", SHA: strings.Repeat("a", 40)}, Executor: executor})
	if err != nil {
		t.Fatal(err)
	}
	if err := runs[0].Transition(runstore.Change{State: runstore.Active}); err != nil {
		t.Fatal(err)
	}
	return runs[0]
}

// add adds text to the file name of a run.
func add(t *testing.T, run *runstore.Run, name, text string) {
	t.Helper()
	path := filepath.Join(run.Dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

const events = `{"event":"run-start","jobs":[{"id":"a"},{"id":"b\n\u001b"}]}
{"event":"job-start","job":"a"}
{"event":"sh-start","job":"a","sh":1,"log":"jobs/a/sh-1.log"}
{"event":"sh-start","job":"a","sh":2,"log":"jobs/a/sh-2.log"}
{"event":"sh-start","job":"b\n\u001b","sh":1,"log":"jobs/b/sh-1.log"}
`

func TestLog(t *testing.T) {
	run := started(t, "host")
	add(t, run, runlog.EventsFile, events)
	add(t, run, "jobs/a/sh-1.log", "T stdout F one\nT stderr P two\nT stderr P  and\nT stderr F  three\nT stdout F \nT stdo")
	add(t, run, "jobs/b/sh-1.log", "T stdout F four\nnot an entry\nT stdout F five\n")
	old := started(t, "host") // by a quire that wrote no combined log
	add(t, old, runlog.EventsFile, events)
	add(t, old, "jobs/a/sh-1.log", "T stdout F one\nT stderr P two\nT stderr P  and\nT stderr F  three\nT stdout F \nT stdo")
	add(t, old, "jobs/b/sh-1.log", "T stdout F four\nnot an entry\nT stdout F five\n")
	if err := old.Transition(runstore.Change{State: runstore.Complete}); err != nil {
		t.Fatal(err)
	}
	add(t, run, runstore.LogFile, "a | the combined log\n")
	for _, test := range []struct{ name, job, want string }{
		{"all", "", "a | the combined log\n"},
		{"all of an old run", "", "a | one\na | two and three\na | \n" + `b\n\x1b | four` + "\n" + `b\n\x1b | five` + "\n"},
		{"one job", "a", "one\ntwo and three\n\n"},
		{"no such job", "c", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			run := run
			if test.name == "all of an old run" {
				run = old
			}
			if err := NewLog(run, test.job, &out).Print(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A second call prints only the new part of a log, also if a line had not ended.
func TestLogGrows(t *testing.T) {
	run := started(t, "host")
	var out, one strings.Builder
	l, a := NewLog(run, "", &out), NewLog(run, "a", &one)
	for _, step := range []struct{ name, text, want string }{
		{runstore.LogFile, "beg", "beg"},
		{runstore.LogFile, "in\n", "in\n"},
		{runlog.EventsFile, events, ""},
		{"jobs/a/sh-1.log", "T stdout P one", ""},
		{"jobs/a/sh-1.log", "\nT stdout P  and", "one"},
		{"jobs/a/sh-1.log", "\nT stdout F two\n", " andtwo\n"},
	} {
		add(t, run, step.name, step.text)
		out.Reset()
		one.Reset()
		if err := errors.Join(l.Print(), a.Print()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, out.String()+one.String()); diff != "" {
			t.Errorf("after %q: %s", step.text, diff)
		}
	}
}

// A log that cannot be read is reported; the others are printed.
func TestLogUnread(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(path string) error
		told bool
	}{
		{"pipe", func(path string) error { return syscall.Mkfifo(path, 0o600) }, true},
		{"link", func(path string) error { return os.Symlink("/etc/passwd", path) }, true},
		{"directory", func(path string) error { return os.Mkdir(path, 0o700) }, true},
		{"nothing", func(path string) error { return nil }, false},
		{"a line without an end", func(path string) error {
			return errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, 1<<40))
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			run := started(t, "host")
			add(t, run, runlog.EventsFile, events)
			add(t, run, "jobs/a/sh-2.log", "T stdout F two\n")
			if err := test.make(filepath.Join(run.Dir, "jobs/a/sh-1.log")); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			err := NewLog(run, "a", &out).Print()
			if told := errors.As(err, new(*UnreadError)); told != test.told || err != nil && !told {
				t.Errorf("the error is %v", err)
			}
			if out.String() != "two\n" {
				t.Errorf("printed %q", out.String())
			}
		})
	}
}

// A log is followed until the run has ended, even if parts of it cannot be read.
func TestFollow(t *testing.T) {
	run := started(t, "quire-ci")
	add(t, run, runstore.LogFile, "one\n")
	if err := syscall.Mkfifo(filepath.Join(run.Dir, runlog.EventsFile), 0o600); err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	defer r.Close()
	followed := make(chan error, 1)
	go func() {
		err := NewLog(run, "", w).Follow(context.Background())
		w.Close()
		followed <- err
	}()
	expect := func(want string) {
		t.Helper()
		got := make([]byte, len(want))
		if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	}
	expect("one\n")
	add(t, run, runstore.LogFile, "two\n")
	expect("two\n")
	if err := run.Transition(runstore.Change{State: runstore.Complete}); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(r); len(rest) > 0 || err != nil {
		t.Errorf("got %q, %v at the end", rest, err)
	}
	if err := <-followed; err != nil {
		t.Error(err)
	}
}

// A run is shown even if its events cannot be read, with the reason.
func TestRunWithUnreadableEvents(t *testing.T) {
	run := started(t, "quire-ci")
	if err := syscall.Mkfifo(filepath.Join(run.Dir, runlog.EventsFile), 0o600); err != nil {
		t.Fatal(err)
	}
	v, err := Read(run)
	if err != nil {
		t.Fatal(err)
	}
	var text, object bytes.Buffer
	if err := errors.Join(v.WriteText(&text), v.WriteJSON(&object)); err != nil {
		t.Fatal(err)
	}
	want := "its driver is gone; reconcile fails it; cannot read '" + filepath.Join(run.Dir, runlog.EventsFile) + "': not a regular file"
	for _, shown := range []string{text.String(), object.String()} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not shown in %s", want, shown)
		}
	}
}

// A line without an end is not continued by a line of another stream or command.
func TestLogHalfLines(t *testing.T) {
	for name, test := range map[string]struct{ one, two, want string }{
		"command":          {"T stdout P half\n", "T stdout F next\n", "half\nnext\n"},
		"stream":           {"T stdout P half\nT stderr F error\n", "", "half\nerror\n"},
		"continued":        {"T stdout P one\nT stdout F  line\n", "T stdout F next\n", "one line\nnext\n"},
		"continued behind": {"T stdout P out\nT stderr P err\nT stdout F put\n", "", "out\nerr\nput\n"},
		"last":             {"T stdout F one\n", "T stdout P half\n", "one\nhalf"},
	} {
		t.Run(name, func(t *testing.T) {
			run := started(t, "host")
			add(t, run, runlog.EventsFile, events)
			add(t, run, "jobs/a/sh-1.log", test.one)
			add(t, run, "jobs/a/sh-2.log", test.two)
			var out strings.Builder
			if err := NewLog(run, "a", &out).Print(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// With times, each line begins with its own time, however the log grew.
func TestLogTimes(t *testing.T) {
	run := started(t, "host")
	const one, two = "2026-11-29T00:00:01.000Z", "2026-11-29T00:00:02.500Z"
	var out strings.Builder
	l := NewLog(run, "", &out)
	l.Times = true
	defer l.Close()
	path := runstore.LogFile + ".times"
	for _, step := range []struct{ times, text, want string }{
		{"", "unknown\n", "- unknown\n"},
		{"8 " + one + "\n", "first\nsecond\nbe", one + " first\n" + one + " second\n" + one + " be"},
		{"junk\n-1\n23 not a time\n23 " + two[:9], "gun\n", "gun\n"},
		{two[9:] + "\n", "", ""},
		{"", "third\n\n", two + " third\n" + two + " \n"},
		{strings.Repeat("x", 1<<20) + "\n", "fourth\n", two + " fourth\n"},
	} {
		add(t, run, path, step.times)
		add(t, run, runstore.LogFile, step.text)
		out.Reset()
		if err := l.Print(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, out.String()); diff != "" {
			t.Errorf("after %q: %s", step.text, diff)
		}
	}
	add(t, run, runlog.EventsFile, events)
	add(t, run, "jobs/a/sh-1.log", "2026-11-29T01:00:02.5+01:00 stdout P a\n"+two+" stdout F  line\nT stdout F bad\n")
	out.Reset()
	job := NewLog(run, "a", &out)
	job.Times = true
	if err := job.Print(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(two+" a line\n- bad\n", out.String()); diff != "" {
		t.Error(diff)
	}
}
