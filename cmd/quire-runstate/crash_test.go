package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"quire/lib/runstore"
)

// calls are the system calls that change something, or give something up. Between
// two of them a kill leaves what a kill at the second one does.
var calls = []string{
	"openat", "mkdirat", "symlinkat", "renameat", "unlinkat", "write", "ftruncate",
	"fsync", "fdatasync", "syncfs", "fcntl", "close",
}

// faults are the system calls that are made to fail.
var faults = []string{
	"openat", "mkdirat", "symlinkat", "renameat", "unlinkat", "write", "fsync", "fdatasync", "syncfs",
}

// A scene is a store in some state, and a command for it.
type scene struct {
	store  *runstore.Store
	name   string // of the command
	args   []string
	stdin  string
	acked  map[string]runstore.State // runs that must be there, and were in this state
	then   map[string]runstore.State // the same, once the command succeeded
	create bool                      // the command prints the run line of a new run
	broken bool                      // the store was not sound to begin with
}

func newScene(t *testing.T, states ...runstore.State) *scene {
	t.Helper()
	root := t.TempDir()
	s, err := runstore.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	sc := &scene{store: s, name: "quire-runstate", acked: map[string]runstore.State{}}
	for _, state := range states {
		runs, err := s.Create(runstore.Facts{Repo: "a.git", GitDir: "/srv/a.git", Ref: "refs/heads/main", SHA: "abc", Executor: "host"})
		if err != nil {
			t.Fatal(err)
		}
		if state != runstore.Pending {
			if err := runs[0].Transition(runstore.Change{State: state, Reason: reasonOf(state)}); err != nil {
				t.Fatal(err)
			}
		}
		sc.acked[runs[0].ID] = state
		sc.args = append(sc.args, runs[0].ID)
	}
	return sc
}

func reasonOf(s runstore.State) string {
	if s == runstore.Failed {
		return "internal"
	}
	return ""
}

// scenes makes the store for each command. sc.args has the ids of the runs.
var scenes = map[string]func(*testing.T) *scene{
	"create": func(t *testing.T) *scene {
		sc := newScene(t, runstore.Pending)
		sc.create = true
		sc.args = []string{"create", "--repo", "new/b.git", "--git-dir", "/b", "--ref", "r", "--sha", "s"}
		return sc
	},
	"transition": func(t *testing.T) *scene {
		sc := newScene(t, runstore.Complete, runstore.Pending)
		sc.then = map[string]runstore.State{sc.args[1]: runstore.Active}
		sc.args = []string{"transition", sc.args[1], "active"}
		return sc
	},
	"end": func(t *testing.T) *scene {
		sc := newScene(t, runstore.Complete, runstore.Active)
		sc.then = map[string]runstore.State{sc.args[1]: runstore.Complete}
		sc.args = []string{"transition", sc.args[1], "complete"}
		return sc
	},
	"exec": func(t *testing.T) *scene {
		sc := newScene(t, runstore.Complete, runstore.Pending)
		sc.then = map[string]runstore.State{sc.args[1]: runstore.Complete}
		sc.args = []string{"exec", "--grace", "0s", sc.args[1], "--", "true"}
		return sc
	},
	"cancel": func(t *testing.T) *scene {
		sc := newScene(t, runstore.Pending)
		sc.then = map[string]runstore.State{sc.args[0]: runstore.Failed}
		sc.args = []string{"cancel", sc.args[0]}
		return sc
	},
	"reconcile": func(t *testing.T) *scene {
		sc := newScene(t, runstore.Complete, runstore.Pending, runstore.Active)
		ended, waste := sc.args[0], filepath.Join(sc.store.Root(), "tmp", "old")
		for _, err := range []error{
			os.Symlink("../runs/a.git/"+ended, filepath.Join(sc.store.Root(), "live", ended)),
			os.Symlink("../runs/a.git/"+runstore.NewID(time.Now()), filepath.Join(sc.store.Root(), "live", runstore.NewID(time.Now()))),
			os.MkdirAll(filepath.Join(waste, "x", "y"), 0o700),
			os.WriteFile(filepath.Join(waste, "lock"), nil, 0o600),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		sc.args = []string{"reconcile"}
		return sc
	},
	"prune": func(t *testing.T) *scene {
		sc := newScene(t, runstore.Complete, runstore.Complete, runstore.Complete, runstore.Pending)
		delete(sc.acked, sc.args[0]) // these two may go
		delete(sc.acked, sc.args[1])
		sc.args = []string{"prune", "--keep", "0"}
		return sc
	},
	"trigger": func(t *testing.T) *scene {
		sc := newScene(t, runstore.Pending)
		dir, sha := repository(t)
		zero := strings.Repeat("0", len(sha))
		sc.name, sc.create = "quire-trigger", true
		sc.args = []string{"--git-dir", dir}
		sc.stdin = fmt.Sprintf("%s %s refs/heads/main\n%s %s refs/heads/other\n", zero, sha, zero, sha)
		return sc
	},
	"fsck": func(t *testing.T) *scene {
		sc := newScene(t, runstore.Complete, runstore.Complete, runstore.Pending)
		if err := os.Remove(filepath.Join(sc.store.Root(), "live", sc.args[2])); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(sc.store.Root(), "journal"), []byte("torn"), 0o600); err != nil {
			t.Fatal(err)
		}
		sc.args = []string{"fsck", "--repair"}
		sc.broken = true
		return sc
	},
}

// repository makes a bare repository with one commit that has a pipeline.
func repository(t *testing.T) (dir, sha string) {
	t.Helper()
	dir = t.TempDir()
	var out []byte
	for _, script := range []string{
		"git init -q --bare .",
		`printf '(local ci (require :quire.ci))\n(ci.job :a [:quire/push] (fn [{: sh}] (sh "true")))\n' >ci.fnl`,
		"git update-index --add --cacheinfo 100644,$(git hash-object -w ci.fnl),.quire/ci.fnl",
		"git commit-tree -m x $(git write-tree)",
	} {
		cmd := exec.Command("sh", "-c", script)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_DIR="+dir, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
			"GIT_AUTHOR_NAME=x", "GIT_AUTHOR_EMAIL=x", "GIT_COMMITTER_NAME=x", "GIT_COMMITTER_EMAIL=x")
		var err error
		if out, err = cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
	}
	return dir, strings.TrimSpace(string(out))
}

// build makes the commands of the scenes, and returns the directory they are in.
func build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", dir, ".", "../quire-trigger").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// run runs the command of the scene with a fault injected, and reports whether it
// was, and whether the command succeeded.
func (sc *scene) run(t *testing.T, binaries, fault string) (injected, ok bool, stdout string) {
	t.Helper()
	trace := filepath.Join(t.TempDir(), "trace")
	cmd := exec.Command("strace", append([]string{"-f", "--seccomp-bpf", "-o", trace, "-e", "inject=" + fault, filepath.Join(binaries, sc.name)}, sc.args...)...)
	cmd.Stdin = strings.NewReader(sc.stdin)
	cmd.Env = append(os.Environ(), "QUIRE_ROOT="+sc.store.Root(), "GOMAXPROCS=1")
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

// check reconciles and repairs the store, and fails the test unless it is sound
// then, with all that was acknowledged.
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
	if !sc.broken {
		sc.listed(fail) // before anything is put right
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
	if _, err := sc.store.Create(runstore.Facts{Repo: "a.git", GitDir: "/a", Ref: "r", SHA: "s"}); err != nil {
		fail("the next command: %v", err)
	}
}

// listed fails unless all that was acknowledged is listed and found.
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

// points returns which calls of one name a fault is injected at. The first of a
// frequent one are those of a process that begins; most beyond the last are those
// that look through /proc.
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
// (strace(1), "Tampering"). The short form tries one of each name.
func TestCrashPoints(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("crash points are not tested: there is no strace")
	}
	binaries := build(t)
	full := os.Getenv("CRASH") == "full"
	var tried atomic.Int32
	t.Run("scenes", func(t *testing.T) {
		for name, scene := range scenes {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				each := func(calls []string, what string) {
					for _, call := range calls {
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
