package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// changes are the system calls that change a file, or start or end a process. Some machines
// have only a part of them.
var changes = []string{
	"openat", "mkdir", "mkdirat", "link", "symlinkat", "rename", "renameat", "unlink", "unlinkat",
	"write", "ftruncate", "fsync", "fdatasync", "clone", "clone3", "vfork", "execve", "exit_group",
}

// lastChange bounds, with CRASH=full, which call of one name gets a signal.
const lastChange = 400

// The processes of a gated push are killed at their Nth call of each name in turn: all of
// them, then only the hook's, then only git-receive-pack. Afterwards the branch has not moved,
// or is at a commit whose gate run is complete. reconcile ends the run, and the next push is
// accepted. Without CRASH=full only a few calls are tried.
func TestGateIsKilled(t *testing.T) {
	t.Parallel()
	needs(t, "strace")
	full := os.Getenv("CRASH") == "full"
	part := 9 // one of this many names
	if repeatsAll(t) {
		part = 3
	}
	var tried atomic.Int32
	t.Run("push", func(t *testing.T) {
		for i, who := range []string{"all", "hook", "receive-pack"} {
			t.Run(who, func(t *testing.T) {
				t.Parallel()
				for j, call := range changes {
					first, last := 1+(i+j)%5, 1+(i+j)%5
					switch {
					case full:
						first, last = 1, lastChange
					case (i+j)%part != 0:
						continue
					}
					for n := first; n <= last && !t.Failed(); n++ {
						if !killPush(t, who, call, n) {
							break
						}
						tried.Add(1)
					}
				}
			})
		}
	})
	t.Logf("%d pushes were killed", tried.Load())
	if tried.Load() == 0 {
		t.Error("no push was killed")
	}
}

// killPush pushes to a gated branch while strace kills each process of who at its nth such
// call. It checks the result, and reports whether a process was killed.
func killPush(t *testing.T, who, call string, n int) bool {
	t.Helper()
	p := killable{t.TempDir()}
	p.sh(t, `mkdir root; echo 'gate = ["refs/heads/main"]' >root/config.toml
		git init -q --bare -b main a.git; git init -q -b main w; cd w; git config user.name a; git config user.email a@b
		mkdir .quire; echo '(local ci (require :quire.ci)) (ci.job :a [:quire/push] (fn [{: sh}] (sh "true")))' >.quire/ci.fnl
		git add -A; git commit -qm 1; git push -q ../a.git main; git commit -q --allow-empty -m 2
		quire-trigger --install-hook --gate --git-dir ../a.git`)
	strace := "strace --seccomp-bpf -f"
	if who == "receive-pack" {
		strace = "strace"
	}
	strace += fmt.Sprintf(" -o %s/trace -e trace=?%s -e inject=?%s:signal=KILL:when=%d", p.dir, call, call, n)
	receive := strace + " git-receive-pack"
	hook := filepath.Join(p.dir, "a.git/hooks/pre-receive")
	if who == "hook" {
		receive = "git-receive-pack"
		if err := os.Rename(hook, hook+".real"); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(hook, []byte("#!/bin/sh\nexec "+strace+" "+hook+".real\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	push := exec.Command("git", "push", "-q", "--receive-pack="+receive, "../a.git", "main")
	push.Dir, push.Env = filepath.Join(p.dir, "w"), append(p.environ(), "GOMAXPROCS=1")
	out, _ := push.CombinedOutput()
	if who == "hook" {
		if err := os.Rename(hook+".real", hook); err != nil {
			t.Fatal(err)
		}
	}

	fail := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%s, %s %d: %s\n%s", who, call, n, fmt.Sprintf(format, args...), out)
	}
	before, after := p.sh(t, "git -C w rev-parse main~"), p.sh(t, "git -C w rev-parse main")
	moved := func() bool {
		switch at := p.sh(t, "git -C a.git rev-parse main"); at {
		case before:
			return false
		case after:
			if !strings.Contains(p.sh(t, "quire-runstate list --state complete"), strings.TrimSpace(after)) {
				fail("the branch moved, and no gate run of its commit is complete")
			}
			return true
		default:
			fail("the branch is at %s", at)
			return true
		}
	}
	first := moved()
	if lines := p.sh(t, "quire-runstate reconcile"); lines != "" {
		fail("reconcile hands out %s", lines)
	}
	if live := p.sh(t, "quire-runstate list --state live"); live != "" {
		fail("still live: %s", live)
	}
	p.sh(t, "quire-runstate fsck --repair >/dev/null 2>&1 || true; quire-runstate fsck")
	if !first {
		// A killed git leaves its own locks.
		p.sh(t, "find a.git -name '*.lock' -delete; git -C w push -q ../a.git main")
		if !moved() {
			fail("the next push was not accepted")
		}
	}
	trace, err := os.ReadFile(filepath.Join(p.dir, "trace"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(trace), "killed by SIGKILL")
}
