package drive

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quire/lib/config"
	"quire/lib/push"
	"quire/lib/runstore"
)

// users are runs of one repository in a store of their own.
type users struct {
	t        *testing.T
	store    *runstore.Store
	warnings *[]string // nil: none are expected
	most     int       // workspaces of the pool
}

func newUsers(t *testing.T) users {
	store, err := runstore.Open(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return users{t: t, store: store, most: 2}
}

// take makes a run, drives it, takes one of u.most workspaces for it, and leaves a file in
// the workspace.
func (u users) take(ref, sha, old string) (run *runstore.Run, tree string, driver *runstore.Driver) {
	u.t.Helper()
	return u.takeOf(u.most, ref, sha, old)
}

func (u users) takeOf(most int, ref, sha, old string) (run *runstore.Run, tree string, driver *runstore.Driver) {
	u.t.Helper()
	runs, err := u.store.Create(runstore.Facts{Facts: push.Facts{Repo: "a/b.git", GitDir: "/none", Ref: ref, SHA: sha, PreviousSHA: old}})
	if err != nil {
		u.t.Fatal(err)
	}
	run = runs[0]
	if driver, err = run.Drive(); err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(driver.Unlock)
	if tree, err = takePooled(u.store, run, config.Settings{Workspaces: most, KeepWorkspace: "failed"}, u.warn); err != nil {
		u.t.Fatal(err)
	}
	if tree == "" {
		return run, "", driver
	}
	if err := os.MkdirAll(tree, 0o700); err != nil {
		u.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tree, run.ID), nil, 0o600); err != nil {
		u.t.Fatal(err)
	}
	if err := os.Symlink(tree, filepath.Join(run.Dir, runstore.WorkspaceDir)); err != nil {
		u.t.Fatal(err)
	}
	return run, tree, driver
}

func (u users) warn(err error) {
	if u.warnings == nil {
		u.t.Errorf("warning: %v", err)
		return
	}
	*u.warnings = append(*u.warnings, err.Error())
}

// end ends a run as its driver does.
func (u users) end(run *runstore.Run, keep bool) {
	u.t.Helper()
	if !keep {
		if err := run.RemoveWorkspace(); err != nil {
			u.t.Fatal(err)
		}
	}
	if err := run.Transition(runstore.Change{State: runstore.Complete}); err != nil {
		u.t.Fatal(err)
	}
}

func has(dir, name string) bool {
	_, err := os.Lstat(filepath.Join(dir, name))
	return err == nil
}

func TestBestWorkspaceIsTaken(t *testing.T) {
	u := newUsers(t)
	one, treeOne, driverOne := u.take("refs/heads/one", "1111", "")
	two, treeTwo, driverTwo := u.take("refs/heads/two", "2222", "")
	if treeOne == treeTwo {
		t.Fatal("two runs have one workspace")
	}
	if _, tree, driver := u.take("refs/heads/one", "1111", ""); tree != "" {
		t.Errorf("took %s, which is in use", tree)
	} else {
		driver.Unlock()
	}
	u.end(one, false)
	driverOne.Unlock()
	u.end(two, false)
	driverTwo.Unlock()
	for _, tt := range []struct{ name, ref, sha, old, want string }{
		{"same commit", "refs/heads/three", "2222", "1111", treeTwo},
		{"previous commit", "refs/heads/three", "3333", "1111", treeOne},
		{"same ref", "refs/heads/three", "4444", "", treeOne},
		{"any", "refs/heads/five", "5555", "", treeOne},
	} {
		run, tree, driver := u.take(tt.ref, tt.sha, tt.old)
		if tree != tt.want || !has(tree, two.ID) && tree == treeTwo || !has(tree, one.ID) && tree == treeOne {
			t.Errorf("%s: took %s, want %s as it was left", tt.name, tree, tt.want)
		}
		u.end(run, false)
		driver.Unlock()
	}
}

// A workspace is removed if its occupant died or is unknown.
func TestDoubtfulWorkspace(t *testing.T) {
	for name, spoil := range map[string]func(users, *runstore.Run, string) error{
		"died": func(users, *runstore.Run, string) error { return nil },
		"orphaned": func(_ users, run *runstore.Run, _ string) error {
			return run.Transition(runstore.Change{State: runstore.Failed, Reason: "orphaned"})
		},
		"another boot": func(u users, run *runstore.Run, tree string) error {
			u.end(run, false)
			return os.WriteFile(filepath.Join(filepath.Dir(tree), occupantFile), []byte(run.ID+" before"), 0o600)
		},
		"user cut short by a crash": func(u users, run *runstore.Run, tree string) error {
			u.end(run, false)
			return os.Truncate(filepath.Join(filepath.Dir(tree), occupantFile), int64(len(run.ID)+9))
		},
		"user emptied by a crash": func(u users, run *runstore.Run, tree string) error {
			u.end(run, false)
			return os.Truncate(filepath.Join(filepath.Dir(tree), occupantFile), 0)
		},
		"no user": func(u users, run *runstore.Run, tree string) error {
			u.end(run, false)
			return os.Remove(filepath.Join(filepath.Dir(tree), occupantFile))
		},
		"pruned": func(u users, run *runstore.Run, tree string) error {
			return os.WriteFile(filepath.Join(filepath.Dir(tree), occupantFile), []byte(strings.Repeat("0", 8)+run.ID[8:]+" x"), 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUsers(t)
			run, tree, driver := u.take("refs/heads/one", "1111", "")
			driver.Unlock()
			if err := spoil(u, run, tree); err != nil {
				t.Fatal(err)
			}
			_, again, _ := u.take("refs/heads/one", "1111", "")
			if again != tree || has(again, run.ID) {
				t.Errorf("took %s as it was left", again)
			}
		})
	}
}

// If a run keeps its workspace, the tree stays with it when the next run takes the workspace.
func TestWorkspaceStaysWithRun(t *testing.T) {
	u := newUsers(t)
	run, tree, driver := u.take("refs/heads/one", "1111", "")
	u.end(run, true)
	driver.Unlock()
	_, again, _ := u.take("refs/heads/one", "1111", "")
	if again != tree || has(again, run.ID) {
		t.Errorf("took %s, which belongs to run %s", again, run.ID)
	}
	dir := filepath.Join(run.Dir, runstore.WorkspaceDir)
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() || !has(dir, run.ID) {
		t.Errorf("the run lost its workspace: %v", err)
	}
}

// Workspaces above the configured number are removed as soon as they are free, except trees
// that a run keeps.
func TestTooManyWorkspaces(t *testing.T) {
	u := newUsers(t)
	one, treeOne, driverOne := u.take("refs/heads/one", "1111", "")
	two, treeTwo, driverTwo := u.take("refs/heads/two", "2222", "")
	if _, tree, driver := u.takeOf(1, "refs/heads/three", "3333", ""); tree != "" || !has(treeTwo, two.ID) {
		t.Errorf("took %q, or away what is in use", tree)
	} else {
		driver.Unlock()
	}
	u.end(two, true)
	driverTwo.Unlock()
	if _, tree, driver := u.takeOf(1, "refs/heads/three", "3333", ""); tree != "" || has(filepath.Dir(filepath.Dir(treeTwo)), "2") {
		t.Errorf("took %q, or left what is beyond", tree)
	} else {
		driver.Unlock()
	}
	if !has(filepath.Join(two.Dir, runstore.WorkspaceDir), two.ID) {
		t.Error("the run lost its workspace")
	}
	u.end(one, false)
	driverOne.Unlock()
	if _, tree, _ := u.takeOf(0, "refs/heads/three", "3333", ""); tree != "" || has(filepath.Dir(filepath.Dir(treeOne)), "1") {
		t.Errorf("took %q, or left what is beyond", tree)
	}
}
