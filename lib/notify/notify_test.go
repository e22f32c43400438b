package notify

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"quire/lib/push"
	"quire/lib/runstore"
)

// ended returns a store with the programs, and a run that ended after they were added.
func ended(t *testing.T, programs map[string]string) (*runstore.Store, *runstore.Run) {
	t.Helper()
	store, err := runstore.Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(store.Root(), runstore.OnEndDir)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range programs {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := store.Create(runstore.Facts{Facts: push.Facts{Repo: "a.git", GitDir: "/none", Ref: "refs/heads/main", SHA: "abc"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := runs[0].Transition(runstore.Change{State: runstore.Failed, Reason: "exit", Code: 3}); err != nil {
		t.Fatal(err)
	}
	return store, runs[0]
}

var stamp = regexp.MustCompile(`quire: [-0-9T:.]+Z `)

// endLogOf returns the log of the programs, without the times.
func endLogOf(t *testing.T, run *runstore.Run) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(run.Dir, LogFile))
	if err != nil {
		t.Fatal(err)
	}
	return stamp.ReplaceAllString(string(text), "quire: ")
}

// The result of each program is in the log and, if it failed, a warning. A failure does not
// prevent other programs from running, and none of a program's processes is left.
func TestPrograms(t *testing.T) {
	for _, tt := range []struct {
		name, program string
		warning       string // "" for none
		log           string // between the first line and the next program's first line
	}{
		{"succeeds", "#!/bin/sh\necho hello\necho there >&2\n", "", "hello\nthere\nquire: on-end.d/a: exit 0\n"},
		{"fails", "#!/bin/sh\nprintf half\nexit 4\n", "exit 4", "half\nquire: on-end.d/a: exit 4\n"},
		{"is ended by a signal", "#!/bin/sh\nkill -9 $$\n", "signal 9 (killed)", "quire: on-end.d/a: signal 9 (killed)\n"},
		{"hangs", "#!/bin/sh\necho $$ >pid\nexec sleep 600\n", "it took too long", "quire: on-end.d/a: it took too long\n"},
		{"ignores signals", "#!/bin/sh\ntrap '' TERM\necho $$ >pid\nwhile :; do sleep 600; done\n",
			"it took too long", "quire: on-end.d/a: it took too long\n"},
		{"leaves a process that has its output", "#!/bin/sh\nsleep 600 &\necho $! >pid\n", "", "quire: on-end.d/a: exit 0\n"},
		{"leaves a process elsewhere", "#!/bin/sh\nsetsid sh -c 'echo $$ >pid; exec sleep 600' &\nuntil [ -s pid ]; do :; done\n",
			"", "quire: on-end.d/a: exit 0\n"},
		{"has no interpreter", "echo hello\n", "cannot be started: it is neither a program for this machine nor a script that begins with '#!'",
			"quire: on-end.d/a: cannot be started: it is neither a program for this machine nor a script that begins with '#!'\n"},
		{"has a line end of DOS", "#!/bin/sh\r\necho hello\n", "cannot be started: its first line ends in CR LF: save it with LF alone", "quire: on-end.d/a: cannot be started: its first line ends in CR LF: save it with LF alone\n"},
		{"prints too much", "#!/bin/sh\nyes | head -c 200000\n", "",
			strings.Repeat("y\n", maxOutput/2) + "quire: its output after 65536 bytes is omitted\nquire: on-end.d/a: exit 0\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			timeout := time.Minute
			if tt.warning == errTimeout.Error() {
				timeout = 3 * time.Second // the next program must begin and end in this time
			}
			store, run := ended(t, map[string]string{"a": tt.program, "b": "#!/bin/sh\necho last\n"})
			var warnings []string
			err := Deliver(t.Context(), store, Options{
				Env:     []string{"PATH=" + os.Getenv("PATH")},
				Timeout: timeout, Grace: 100 * time.Millisecond,
				Warn: func(err error) { warnings = append(warnings, err.Error()) },
			})
			if err != nil {
				t.Fatal(err)
			}
			want := "quire: on-end.d/a\n" + tt.log + "quire: on-end.d/b\nlast\nquire: on-end.d/b: exit 0\n"
			got := strings.ReplaceAll(endLogOf(t, run), filepath.Join(store.Root(), runstore.OnEndDir), "DIR")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("log: %s", diff)
			}
			if got := strings.Join(warnings, "\n"); (got == "") != (tt.warning == "") || !strings.HasSuffix(got, tt.warning) {
				t.Errorf("warned %q, want %q", got, tt.warning)
			}
			if pid, err := os.ReadFile(filepath.Join(run.Dir, "pid")); err == nil {
				if _, err := os.Stat("/proc/" + strings.TrimSpace(string(pid))); err == nil {
					t.Errorf("process %s is left", pid)
				}
			}
			if waiting, err := hasQueued(store); waiting || err != nil {
				t.Errorf("still queued: %v, %v", waiting, err)
			}
		})
	}
}

// The record is larger than a pipe holds, and need not be read.
func TestRecordNeedNotBeRead(t *testing.T) {
	store, run := ended(t, map[string]string{
		"deaf":  "#!/bin/sh\n",
		"reads": "#!/bin/sh\ncat >record\n",
		"slow":  "#!/bin/sh\nhead -c 10 >/dev/null\n",
	})
	var events strings.Builder
	for range 2000 {
		events.WriteString(`{"type":"job-start","job":"` + strings.Repeat("j", 100) + `"}` + "\n")
	}
	if err := os.WriteFile(filepath.Join(run.Dir, "events.jsonl"), []byte(events.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	o := Options{Env: []string{"PATH=" + os.Getenv("PATH")}, Timeout: time.Minute, Grace: time.Second}
	if err := Deliver(t.Context(), store, o); err != nil {
		t.Fatal(err)
	}
	record, err := os.ReadFile(filepath.Join(run.Dir, "record"))
	if err != nil || !strings.HasPrefix(string(record), `{"id":"`+run.ID+`","state":"failed",`) || !strings.HasSuffix(string(record), "}\n") {
		t.Errorf("record %.100q, %v", record, err)
	}
	if strings.Contains(endLogOf(t, run), "signal") {
		t.Errorf("log: %s", endLogOf(t, run))
	}
}

// After an interruption, the next process continues. A run with a driver starts no program,
// and no run is pruned before its programs have run.
func TestInterrupted(t *testing.T) {
	store, run := ended(t, map[string]string{"a": "#!/bin/sh\necho >begun\nexec sleep 600\n"})
	driver, err := run.Drive()
	if err != nil {
		t.Fatal(err)
	}
	if waiting, err := hasQueued(store); waiting || err != nil {
		t.Errorf("a driven run is to be notified of: %v, %v", waiting, err)
	}
	driver.Unlock()
	cause := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	begun := filepath.Join(run.Dir, "begun")
	if err := unix.Mkfifo(begun, 0o600); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = os.ReadFile(begun) // until the program has opened and closed it
		cancel(cause)
	}()
	o := Options{Env: []string{"PATH=" + os.Getenv("PATH")}, Timeout: time.Minute, Grace: time.Second}
	if err := Deliver(ctx, store, o); !errors.Is(err, cause) {
		t.Fatalf("Deliver: %v", err)
	}
	if waiting, err := hasQueued(store); !waiting || err != nil {
		t.Errorf("no longer queued: %v, %v", waiting, err)
	}
	newer, err := store.Create(runstore.Facts{Facts: push.Facts{Repo: "a.git", GitDir: "/none", Ref: "refs/heads/main", SHA: "abc"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := newer[0].Transition(runstore.Change{State: runstore.Failed, Reason: "internal"}); err != nil {
		t.Fatal(err)
	}
	prunable := func() int {
		t.Helper()
		records, err := store.Prunable(runstore.Prune{})
		if err != nil {
			t.Fatal(err)
		}
		return len(records)
	}
	if n := prunable(); n != 0 {
		t.Errorf("%d runs can be pruned before the notification", n)
	}
	if err := os.RemoveAll(filepath.Join(store.Root(), runstore.OnEndDir)); err != nil {
		t.Fatal(err)
	}
	if err := Deliver(t.Context(), store, o); err != nil {
		t.Fatal(err)
	}
	if n := prunable(); n != 1 {
		t.Errorf("%d runs can be pruned, want 1", n)
	}
}

// A file that is not run has its reason.
func TestFindReasons(t *testing.T) {
	dir := t.TempDir()
	for name, target := range map[string]string{"gone": "/gone", "loop": "loop", "device": os.DevNull, "run": "/bin/true", "dot.ted": "/bin/true"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	programs, err := find(dir)
	got := map[string]string{}
	for _, p := range programs {
		got[filepath.Base(p.path)] = p.skip
	}
	want := map[string]string{
		"gone": "it is a dangling symbolic link", "loop": "too many levels of symbolic links", "device": "it is not executable", "run": "",
		"dot.ted": "its name has characters other than letters, digits, '-' and '_'",
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}
