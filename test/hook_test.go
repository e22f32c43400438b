package test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// chainedHook creates a bare repository with a hook, and a root beside it, and returns
// the directory of the repository.
func chainedHook(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a.git")
	if out, err := exec.Command("git", "init", "-q", "--bare", "--template=", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"hooks", "../root"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "hooks/post-receive"), []byte("#!/bin/sh\n"), 0o751); err != nil {
		t.Fatal(err)
	}
	return dir
}

func hookCommand(dir, option string) []string {
	return []string{filepath.Join(prefix, "bin/quire-trigger"), "--root", filepath.Join(dir, "../root"), "--git-dir", dir, option}
}

// hookState returns everything that --install-hook and --uninstall-hook may change,
// except quire's records of the refs.
func hookState(t *testing.T, dir string) string {
	t.Helper()
	cmd := exec.Command("sh", "-c", "cat config; find hooks ../root/repos/* -printf '%P %M %l\n' | sort; find hooks -type f | sort | xargs cat")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.ReplaceAll(string(out), filepath.Dir(dir), "DIR")
}

// Installing and uninstalling are killed at each step: a hook exists at any time, the
// earlier hook is not lost, and the next call completes the rest.
func TestHookKilled(t *testing.T) {
	t.Parallel()
	needs(t, "strace")
	reference := chainedHook(t)
	want := map[string]string{}
	for _, option := range []string{"--install-hook", "--uninstall-hook"} {
		mustRun(t, hookCommand(reference, option))
		want[option] = hookState(t, reference)
	}
	for option, before := range map[string]string{"--install-hook": "--uninstall-hook", "--uninstall-hook": "--install-hook"} {
		// A pipe is created before each start of git.
		for _, call := range []string{"pipe2", "mkdirat", "symlinkat", "write", "fsync", "renameat", "renameat2", "unlinkat"} {
			t.Run(option+" "+call, func(t *testing.T) {
				t.Parallel()
				step := sampleStep(t)
				for n := 1; ; n += step {
					dir := chainedHook(t)
					mustRun(t, hookCommand(dir, before))
					killed := kill(t, fmt.Sprintf("%s:signal=KILL:when=%d", call, n), hookCommand(dir, option))
					hooks, _ := exec.Command("sh", "-c", "cat "+dir+"/hooks/post-receive*").Output()
					if info, err := os.Stat(filepath.Join(dir, "hooks/post-receive")); err != nil || info.Mode()&0o100 == 0 {
						t.Errorf("%d: there is no hook: %v", n, err)
					}
					if !bytes.Contains(hooks, []byte("#!/bin/sh\n")) {
						t.Errorf("%d: the hook that was there is lost", n)
					}
					mustRun(t, hookCommand(dir, option))
					if diff := cmp.Diff(want[option], hookState(t, dir)); diff != "" {
						t.Errorf("%d: %s", n, diff)
					}
					if !killed || t.Failed() {
						break
					}
				}
			})
		}
	}
}

// kill runs a command that is killed at a system call, waits until its children have
// ended, too, and reports whether it was killed.
func kill(t *testing.T, fault string, call []string) bool {
	t.Helper()
	trace := filepath.Join(t.TempDir(), "trace")
	cmd := exec.Command("strace", append([]string{"-f", "--detach-on=execve", "-o", trace, "-e", "inject=" + fault}, call...)...)
	held, hold, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{hold}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	hold.Close()
	_, _ = io.Copy(io.Discard, held)
	held.Close()
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(text, []byte("killed by SIGKILL"))
}

func mustRun(t *testing.T, call []string) {
	t.Helper()
	if out, err := exec.Command(call[0], call[1:]...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%s: %v, %s", strings.Join(call, " "), err, out)
	}
}

// Concurrent installs have the effect of one.
func TestHookInstalledAtOnce(t *testing.T) {
	t.Parallel()
	reference, dir := chainedHook(t), chainedHook(t)
	mustRun(t, hookCommand(reference, "--install-hook"))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { mustRun(t, hookCommand(dir, "--install-hook")) })
	}
	all.Wait()
	if diff := cmp.Diff(hookState(t, reference), hookState(t, dir)); diff != "" {
		t.Error(diff)
	}
}

// If a hook is killed at any step, with or without a chained hook, the push finally has
// one run: from the hook or from --missed.
func TestPushHookKilled(t *testing.T) {
	t.Parallel()
	needs(t, "strace")
	for _, chained := range []bool{false, true} {
		for _, call := range []string{"memfd_create", "fcntl", "flock", "write", "pwrite64", "renameat", "execve"} {
			t.Run(fmt.Sprintf("%v %s", chained, call), func(t *testing.T) {
				t.Parallel()
				p := newKillable(t, chained)
				step := sampleStep(t)
				for n := 1; ; n += step {
					ref := fmt.Sprintf("refs/heads/%d", n)
					p.sh(t, "git -C a.git update-ref "+ref+" $(cat commit); printf '%040d %s %s\n' 0 $(cat commit) "+ref+" >line")
					killed := p.hookKilled(t, fmt.Sprintf("%s:signal=KILL:when=%d", call, n))
					p.sh(t, "quire-trigger --git-dir a.git --missed >/dev/null 2>&1; quire-trigger --git-dir a.git --missed >again; test ! -s again")
					if runs := p.sh(t, "quire-runstate list --ref "+ref); strings.Count(runs, "\n") != 1 {
						t.Errorf("%d: runs %q", n, runs)
					}
					if !killed || t.Failed() {
						break
					}
				}
			})
		}
	}
}

// A killable is a directory with a root, a repository a.git and the id of a commit.
type killable struct{ dir string }

func newKillable(t *testing.T, chained bool) killable {
	t.Helper()
	p := killable{t.TempDir()}
	p.sh(t, `mkdir root; git init -q --bare a.git; mkdir -p a.git/hooks; rm -f a.git/hooks/*
		echo '(local ci (require :quire.ci)) (ci.job :a [:quire/push] (fn [{: sh}] (sh "true")))' >ci.fnl
		blob=$(git -C a.git hash-object -w --stdin <ci.fnl)
		quire=$(printf '100644 blob %s\tci.fnl\n' $blob | git -C a.git mktree)
		tree=$(printf '040000 tree %s\t.quire\n' $quire | git -C a.git mktree)
		git -C a.git -c user.name=a -c user.email=a@b commit-tree -m x $tree >commit`)
	if chained {
		p.sh(t, "printf '#!/bin/sh\ncat >/dev/null\n' >a.git/hooks/post-receive; chmod +x a.git/hooks/post-receive")
	}
	p.sh(t, "quire-trigger --install-hook --git-dir a.git")
	return p
}

func (p killable) environ() []string {
	return append(os.Environ(), "PATH="+filepath.Join(prefix, "bin")+":"+os.Getenv("PATH"), "QUIRE_ROOT="+filepath.Join(p.dir, "root"),
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null")
}

func (p killable) sh(t *testing.T, script string) string {
	t.Helper()
	cmd := exec.Command("sh", "-ec", script)
	cmd.Dir, cmd.Env = p.dir, p.environ()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

// hookKilled runs the hook with the push in the file line, as git does, and reports
// whether the fault killed quire-trigger. Nothing drives a run.
func (p killable) hookKilled(t *testing.T, fault string) bool {
	t.Helper()
	cmd := exec.Command("strace", "-f", "-o", "../trace", "-e", "inject="+fault, "hooks/post-receive")
	cmd.Dir = filepath.Join(p.dir, "a.git")
	shims := filepath.Join(p.dir, "shims")
	p.sh(t, "mkdir -p shims; ln -sf /bin/true shims/quire-dispatch")
	cmd.Env = append(p.environ(), "PATH="+shims+":"+filepath.Join(prefix, "bin")+":"+os.Getenv("PATH"), "GIT_DIR=.")
	line, err := os.Open(filepath.Join(p.dir, "line"))
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	cmd.Stdin = line
	_ = cmd.Run()
	text, err := os.ReadFile(filepath.Join(p.dir, "trace"))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(text, []byte("killed by SIGKILL"))
}
