package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quire/lib/push"
	"quire/lib/runstore"
)

// A scene is a store in some state, and a command for it.
type scene struct {
	store   *runstore.Store
	name    string // of the command
	args    []string
	stdin   string
	env     []string
	acked   map[string]runstore.State // runs that must exist, and their last known states
	then    map[string]runstore.State // the same, once the command succeeded
	create  bool                      // the command prints the run line of a new run
	skipped int                       // the number of skipped runs, once the command succeeded; 0: any number
	broken  bool                      // the store was not sound at first
	told    []string                  // ended runs that a program of on-end.d must be told

	binaries string // the directory of the commands
}

func newScene(t *testing.T, states ...runstore.State) *scene {
	t.Helper()
	root := t.TempDir()
	s, err := runstore.Open(root, nil)
	if err != nil {
		t.Fatal(err)
	}
	sc := &scene{store: s, name: "quire-runstate", acked: map[string]runstore.State{}}
	for _, state := range states {
		runs, err := s.Create(runstore.Facts{Facts: push.Facts{Repo: "a.git", GitDir: "/srv/a.git", Ref: "refs/heads/main", SHA: "abc"}, Executor: "host"})
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

// scenes creates the store for each command. sc.args has the ids of the runs.
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
	"told": func(t *testing.T) *scene {
		sc := newScene(t, runstore.Pending)
		sc.then = map[string]runstore.State{sc.args[0]: runstore.Complete}
		dir := filepath.Join(sc.store.Root(), runstore.OnEndDir)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		// Faults affect the program too. It retries, or it would fail to record its
		// call.
		program := "#!/bin/sh\nuntil echo \"$QUIRE_RUN\" >>\"$QUIRE_ROOT/told\"; do :; done\n"
		if err := os.WriteFile(filepath.Join(dir, "tell"), []byte(program), 0o700); err != nil {
			t.Fatal(err)
		}
		sc.told = sc.args
		sc.args = []string{"exec", "--grace", "0s", sc.args[0], "--", "true"}
		return sc
	},
	"prune": func(t *testing.T) *scene {
		sc := newScene(t, runstore.Complete, runstore.Complete, runstore.Complete, runstore.Pending)
		delete(sc.acked, sc.args[0]) // these two may be removed
		delete(sc.acked, sc.args[1])
		sc.args = []string{"prune", "--keep", "0"}
		return sc
	},
	"trigger": trigger,
	"skip": func(t *testing.T) *scene {
		sc := trigger(t)
		sc.env = []string{"GIT_PUSH_OPTION_COUNT=1", "GIT_PUSH_OPTION_0=ci.skip"}
		sc.skipped = 2
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

// trigger is the scene of a push of two refs.
func trigger(t *testing.T) *scene {
	sc := newScene(t, runstore.Pending)
	dir, sha := repository(t)
	zero := strings.Repeat("0", len(sha))
	sc.name, sc.create = "quire-trigger", true
	sc.args = []string{"--git-dir", dir}
	sc.stdin = fmt.Sprintf("%s %s refs/heads/main\n%s %s refs/heads/other\n", zero, sha, zero, sha)
	return sc
}

// repository creates a bare repository with one commit that has a pipeline.
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

// build builds the commands of the scenes, and returns their directory.
func build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", dir, ".", "../quire-trigger").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}
