package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"quire/lib/push"
	"quire/lib/runstore"
)

// calls are the system calls that change or release something. A kill between two of them
// leaves the same as a kill at the second one.
var calls = []string{
	"openat", "mkdirat", "symlinkat", "renameat", "unlinkat", "write", "ftruncate",
	"fsync", "fdatasync", "syncfs", "fcntl", "close",
}

// faults are the system calls that the test makes fail.
var faults = []string{
	"openat", "mkdirat", "symlinkat", "renameat", "unlinkat", "write", "fsync", "fdatasync", "syncfs",
}

// run runs the command of the scene with a fault injected, and reports whether it was,
// and whether the command succeeded.
func (sc *scene) run(t *testing.T, binaries, fault string) (injected, ok bool, stdout string) {
	t.Helper()
	sc.binaries = binaries
	trace := filepath.Join(t.TempDir(), "trace")
	cmd := exec.Command("strace", append([]string{"-f", "--seccomp-bpf", "-o", trace, "-e", "inject=" + fault, filepath.Join(binaries, sc.name)}, sc.args...)...)
	cmd.Stdin = strings.NewReader(sc.stdin)
	cmd.Env = append(os.Environ(), append(sc.env, "QUIRE_ROOT="+sc.store.Root(), "GOMAXPROCS=1")...)
	var out bytes.Buffer
	cmd.Stdout = &out
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	ws := cmd.ProcessState.Sys().(syscall.WaitStatus)
	injected = ws.Signaled() || bytes.Contains(text, []byte("(INJECTED)")) || bytes.Contains(text, []byte("killed by SIGKILL"))
	return injected, cmd.ProcessState.Success(), out.String()
}

// check reconciles and repairs the store, and fails the test unless it is then sound and
// has all acknowledged runs.
func (sc *scene) check(t *testing.T, fault string, ok bool, stdout string) {
	t.Helper()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%s: %s", fault, fmt.Sprintf(format, args...))
	}
	for line := range strings.Lines(stdout) {
		if sc.create && strings.HasSuffix(line, "\n") {
			id, _, _ := strings.Cut(line, "\t")
			sc.acked[id] = runstore.Pending
		}
	}
	if ok {
		for id, state := range sc.then {
			sc.acked[id] = state
			if r, err := sc.store.Find(id); err != nil {
				fail("%v", err)
			} else if status, err := r.Status(); err != nil || status.State != state {
				fail("it succeeded, but run %s is %s, %v", id, status.State, err)
			}
		}
	}
	if ok && sc.skipped > 0 {
		skipped := 0
		for _, err := range sc.store.List(runstore.Filter{States: []runstore.State{runstore.Skipped}}) {
			if err != nil {
				fail("list: %v", err)
			}
			skipped++
		}
		if skipped != sc.skipped {
			fail("it succeeded, but %d runs are listed as skipped, want %d", skipped, sc.skipped)
		}
	}
	if !sc.broken {
		sc.listed(fail) // before any repair
	}
	report, err := sc.store.Reconcile(0)
	if err != nil || len(report.Failures) > 0 {
		fail("reconcile: %v, %v", err, report)
	}
	if _, err := sc.store.Check(true); err != nil {
		fail("fsck --repair: %v", err)
	}
	problems, err := sc.store.Check(false)
	if err != nil || len(problems) > 0 {
		fail("after fsck --repair: %v, %v", err, problems)
	}
	sc.listed(fail)
	sc.wereTold(t, fail)
	if _, err := sc.store.Create(runstore.Facts{Facts: push.Facts{Repo: "a.git", GitDir: "/a", Ref: "r", SHA: "s"}}); err != nil {
		fail("the next command: %v", err)
	}
}

// listed fails unless all acknowledged runs are listed and found.
func (sc *scene) listed(fail func(string, ...any)) {
	listed := map[string]runstore.State{}
	for r, err := range sc.store.List(runstore.Filter{}) {
		if err != nil {
			fail("list: %v", err)
		}
		listed[r.ID] = r.State
	}
	for id, before := range sc.acked {
		now, ok := listed[id]
		if !ok || before.Final() && now != before {
			fail("run %s was %s, is '%s'", id, before, now)
		}
		if _, err := sc.store.Find(id); err != nil {
			fail("%v", err)
		}
	}
}

// wereTold fails unless the programs of on-end.d ran for each ended run, after the
// remaining notifications.
func (sc *scene) wereTold(t *testing.T, fail func(string, ...any)) {
	t.Helper()
	if sc.told == nil {
		return
	}
	cmd := exec.Command(filepath.Join(sc.binaries, "quire-runstate"), "--root", sc.store.Root(), "notify")
	if out, err := cmd.CombinedOutput(); err != nil {
		fail("notify: %v, %s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(sc.store.Root(), "told"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, id := range sc.told {
		r, err := sc.store.Find(id)
		if err != nil {
			t.Fatal(err)
		}
		status, err := r.Status()
		if n := bytes.Count(text, []byte(id+"\n")); err != nil || status.State.Final() != (n > 0) {
			fail("run %s is %s, and was told %d times, %v", id, status.State, n, err)
		}
	}
}

// points returns the calls of one name that get a fault. The first of a frequent one
// belong to process start; most beyond the last look through /proc.
func points(call string, full bool) (first, last int) {
	switch {
	case full:
		return 1, 400
	case call == "openat":
		return 14, 14
	case call == "close", call == "fcntl":
		return 5, 5
	}
	return 1, 1
}

// Each command is killed at, and made to fail by, each of its system calls in turn
// (strace(1), "Tampering"). Without CRASH=full it tries one of each name. Without SLOW=1
// as well, it tries a third of these, another third for each scene.
func TestCrashPoints(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("crash points are not tested: there is no strace")
	}
	binaries := build(t)
	full := os.Getenv("CRASH") == "full"
	quick := !full && os.Getenv("SLOW") == ""
	var tried atomic.Int32
	t.Run("scenes", func(t *testing.T) {
		for i, name := range slices.Sorted(maps.Keys(scenes)) {
			scene := scenes[name]
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				each := func(calls []string, what string) {
					for j, call := range calls {
						if quick && (i+j)%3 != 0 {
							continue
						}
						first, last := points(call, full)
						for n := first; n <= last; n++ {
							fault := fmt.Sprintf("%s:%s:when=%d", call, what, n)
							sc := scene(t)
							injected, ok, stdout := sc.run(t, binaries, fault)
							sc.check(t, fault, ok, stdout)
							if !injected || t.Failed() {
								break
							}
							tried.Add(1)
						}
					}
				}
				each(calls, "signal=KILL")
				each(faults, "error=ENOSPC")
				if full {
					each(faults, "error=EIO")
				}
			})
		}
	})
	t.Logf("%d crash points tried", tried.Load())
}
