package test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// bothExecutors are the scripts about features that each executor implements itself:
// processes and their ends, the environment, secrets, limits, workspaces and logs.
var bothExecutors = []string{"artifacts", "cache", "ends", "environment", "facts", "full", "gateafter", "gategit", "gatelost", "kept", "limits", "logmax", "missing", "once", "pause", "own", "plan", "project-matrix", "project-nightly", "push", "reconcile", "secret", "shell", "sides", "supersede", "umask", "vars"}

// prefix is where TestMain installed quire.
var prefix string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "quire-test")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		prefix = filepath.Join(dir, "prefix")
		install := exec.Command("make", "-s", "-C", "..", "install", "PREFIX="+prefix)
		if out, err := install.CombinedOutput(); err != nil {
			fmt.Printf("make install: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// TestPush runs the scripts of testdata/script: real pushes to a real bare repository
// with the installed hook. All run with the executor host, some with quire-ci as well.
func TestPush(t *testing.T) {
	t.Parallel()
	all, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var both []string
	for _, name := range bothExecutors {
		both = append(both, filepath.Join("testdata/script", name+".txtar"))
	}
	for executor, files := range map[string][]string{"host": all, "quire-ci": both} {
		t.Run(executor, func(t *testing.T) {
			t.Parallel()
			testscript.Run(t, testscript.Params{
				Files: files,
				Setup: func(env *testscript.Env) error { return setup(env, executor) },
				Cmds:  scriptCommands,
				Condition: func(c string) (bool, error) {
					if slices.Contains([]string{"host", "quire-ci"}, c) {
						return c == executor, nil
					}
					return condition(c)
				},
				RequireExplicitExec: true,
			})
		})
	}
}

// scriptCommands are the commands of scripts besides testscript's own.
var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	"exits":     exits,
	"repo":      repo,
	"commit":    commit,
	"jobs":      jobs,
	"launcher":  launcher,
	"slurm":     slurmCommand,
	"unchecked": unchecked,
}

// setup creates an environment without this machine's user's settings: a root with the
// executor configured, and the installed commands first in PATH.
func setup(env *testscript.Env, executor string) error {
	home := filepath.Join(env.WorkDir, "home")
	root := filepath.Join(env.WorkDir, "root")
	for _, dir := range []string{home, root} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	gitconfig := "[user]\n\tname = A Pusher\n\temail = pusher@example.org\n" +
		"[init]\n\tdefaultBranch = main\n[advice]\n\tdetachedHead = false\n"
	if err := os.WriteFile(filepath.Join(home, "gitconfig"), []byte(gitconfig), 0o644); err != nil {
		return err
	}
	config := fmt.Sprintf("executor = %q\ngrace = \"500ms\"\n", executor)
	if err := os.WriteFile(filepath.Join(root, "config.toml"), []byte(config), 0o644); err != nil {
		return err
	}
	env.Setenv("PATH", filepath.Join(prefix, "bin")+":"+os.Getenv("PATH"))
	env.Setenv("PREFIX", prefix)
	env.Setenv("HOME", home)
	env.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(home, "gitconfig"))
	env.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	env.Setenv("QUIRE_ROOT", root)
	env.Setenv("QUIRE_PUSHER", "pat")
	env.Setenv("EXECUTOR", executor)
	env.Setenv("LC_ALL", "C")
	env.Setenv("TZ", "UTC")
	env.Setenv("SLOW", os.Getenv("SLOW"))
	settings, err := goEnv()
	for _, name := range []string{"GOCACHE", "GOFLAGS"} {
		env.Setenv(name, settings[name])
	}
	return err
}

// goEnv returns the settings of Go.
var goEnv = sync.OnceValues(func() (settings map[string]string, err error) {
	out, err := exec.Command("go", "env", "-json").Output()
	if err == nil {
		err = json.Unmarshal(out, &settings)
	}
	return settings, err
})

// repo NAME [OPTION...] creates the bare repository root/repos/NAME with the installed
// hook, and a working copy of it in work, with git init's OPTIONs.
func repo(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: repo NAME [OPTION...]")
	}
	bare := filepath.Join(ts.Getenv("QUIRE_ROOT"), "repos", args[0])
	work := ts.MkAbs("work")
	for _, command := range [][]string{
		append([]string{"git", "init", "-q", "--bare", bare}, args[1:]...),
		append([]string{"git", "init", "-q", work}, args[1:]...),
		{"git", "-C", work, "config", "remote.origin.url", bare},
		{"git", "-C", bare, "config", "receive.advertisePushOptions", "true"},
		{"ln", "-sf", filepath.Join(prefix, "share/quire/hooks/post-receive"), filepath.Join(bare, "hooks")},
	} {
		ts.Check(ts.Exec(command[0], command[1:]...))
	}
}

// commit FILE commits FILE of the script as .quire/ci.fnl, or under its own
// extension, in work.
func commit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: commit FILE")
	}
	quire := filepath.Join(ts.MkAbs("work"), ".quire")
	ts.Check(os.MkdirAll(quire, 0o755))
	name := filepath.Join(quire, "ci"+filepath.Ext(args[0]))
	ts.Check(os.WriteFile(name, []byte(ts.ReadFile(args[0])), 0o644))
	ts.Check(ts.Exec("git", "-C", ts.MkAbs("work"), "add", "-A"))
	ts.Check(ts.Exec("git", "-C", ts.MkAbs("work"), "commit", "-qm", "Use "+args[0]))
}

// exits CODE COMMAND [ARG...] runs a command that must exit with exactly CODE.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("cannot run %s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// jobs ID writes the jobs of a run to the file jobs, a line each: the job, its state, the
// reason, the number of its commands, and the error.
func jobs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: jobs ID")
	}
	ts.Check(ts.Exec("quire-runstate", "show", "--json", args[0]))
	var run struct {
		Jobs []struct {
			ID, State, Reason, Error string
			Commands                 []struct{}
		}
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &run))
	var text strings.Builder
	for _, j := range run.Jobs {
		fmt.Fprintf(&text, "%s %s %s %d %s\n", j.ID, j.State, cmp.Or(j.Reason, "-"), len(j.Commands), cmp.Or(j.Error, "-"))
	}
	ts.Check(os.WriteFile(ts.MkAbs("jobs"), []byte(text.String()), 0o644))
}
