package drive

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"quire/lib/file"
	"quire/lib/runstore"
)

// If a job replaced a workspace of the pool, the replacement is removed, but not the target of
// a link or a mount.
func TestReplacedWorkspace(t *testing.T) {
	link := func(what, where string) error {
		return errors.Join(os.RemoveAll(where), os.Symlink(what, where))
	}
	for name, spoil := range map[string]func(tree, outside string) error{
		"link for the tree":       func(tree, outside string) error { return link(outside, tree) },
		"link for the workspace":  func(tree, outside string) error { return link(outside, filepath.Dir(tree)) },
		"link for the repository": func(tree, outside string) error { return link(outside, filepath.Dir(filepath.Dir(tree))) },
		"file for the tree": func(tree, _ string) error {
			return errors.Join(os.RemoveAll(tree), os.WriteFile(tree, nil, 0o600))
		},
		"tree of another owner":      func(tree, _ string) error { return os.Chown(tree, 4242, -1) },
		"workspace of another owner": func(tree, _ string) error { return os.Chown(filepath.Dir(tree), 4242, -1) },
		"link for the user":          func(tree, outside string) error { return link(outside+"/file", filepath.Dir(tree)+"/user") },
		"link for the next user":     func(tree, outside string) error { return link(outside+"/file", filepath.Dir(tree)+"/user.new") },
		"pipe for the user": func(tree, _ string) error {
			user := filepath.Dir(tree) + "/user"
			return errors.Join(os.Remove(user), unix.Mkfifo(user, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUsers(t)
			outside := t.TempDir()
			if err := os.WriteFile(outside+"/file", []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
			run, tree, driver := u.take("refs/heads/one", "1111", "")
			if err := spoil(tree, outside); errors.Is(err, unix.EPERM) {
				t.Skip(err)
			} else if err != nil {
				t.Fatal(err)
			}
			u.end(run, false)
			driver.Unlock()
			next, again, _ := u.take("refs/heads/one", "1111", "")
			if again != tree || has(again, run.ID) && name != "link for the next user" || !has(again, next.ID) {
				t.Errorf("took %q", again)
			}
			if text, err := os.ReadFile(outside + "/file"); err != nil || string(text) != "precious" || has(outside, next.ID) {
				t.Errorf("outside: %q %v", text, err)
			}
		})
	}
}

// A workspace that cannot be removed is set aside. fsck and show find it until it is removed.
func TestUnremovableWorkspace(t *testing.T) {
	for _, where := range []string{"tree/mounted", "tree", ""} { // below workspaces/REPO/1
		t.Run(where, func(t *testing.T) {
			u := newUsers(t)
			u.warnings, u.most = new([]string), 1
			outside := t.TempDir()
			run, tree, driver := u.take("refs/heads/one", "1111", "")
			mounted := filepath.Join(filepath.Dir(tree), where)
			if err := errors.Join(os.MkdirAll(mounted, 0o700), os.WriteFile(outside+"/file", nil, 0o600)); err != nil {
				t.Fatal(err)
			}
			if err := unix.Mount(outside, mounted, "", unix.MS_BIND, ""); err != nil {
				t.Skipf("cannot mount here: %v", err)
			}
			u.end(run, false)
			driver.Unlock()
			if err := writeOccupant(filepath.Dir(tree), run.ID+" another boot"); err != nil && where != "" {
				t.Fatal(err)
			}
			next, again, _ := u.take("refs/heads/one", "1111", "")
			if where == "" {
				if again != "" {
					t.Errorf("took %q, whose place is not free", again)
				}
			} else if again != tree || has(again, run.ID) || !has(again, next.ID) {
				t.Errorf("took %q", again)
			}
			if !strings.Contains(strings.Join(*u.warnings, "\n"), "it is a mount point") {
				t.Errorf("warnings %q", *u.warnings)
			}
			if !has(outside, "file") {
				t.Error("what was mounted is gone")
			}
			why, err := next.Explain()
			if err != nil || !strings.Contains(why, "/left/"+next.ID) {
				t.Errorf("explained: %q %v", why, err)
			}
			left := func(repair bool) (what []string) {
				problems, err := u.store.Check(repair)
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range problems {
					if strings.HasPrefix(p.Path, "left/") && !p.Mended {
						what = append(what, p.What)
					}
				}
				return what
			}
			if what := left(true); len(what) != 1 || !strings.Contains(what[0], "mounted is '") || !has(outside, "file") {
				t.Errorf("fsck: %q", what)
			}
			points, err := file.MountsBelow(u.store.Root())
			if err != nil || len(points) == 0 {
				t.Fatalf("mounted: %q %v", points, err)
			}
			for _, point := range points {
				if err := unix.Unmount(point, unix.MNT_DETACH); err != nil {
					t.Fatal(err)
				}
			}
			left(true)
			if what := left(false); len(what) != 0 || !has(outside, "file") {
				t.Errorf("fsck after the repair: %q", what)
			}
		})
	}
}

// A run keeps its workspace even if the root has another name later.
func TestWorkspaceStaysInRenamedRoot(t *testing.T) {
	u := newUsers(t)
	run, tree, driver := u.take("refs/heads/one", "1111", "")
	u.end(run, true)
	driver.Unlock()
	name := filepath.Join(t.TempDir(), "name")
	if err := os.Symlink(u.store.Root(), name); err != nil {
		t.Fatal(err)
	}
	store, err := runstore.Open(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	u.store = store
	_, again, _ := u.take("refs/heads/one", "1111", "")
	if info, err := os.Lstat(filepath.Join(run.Dir, runstore.WorkspaceDir)); err != nil || !info.IsDir() || has(again, run.ID) {
		t.Errorf("run %s lost its workspace %s to %s: %v", run.ID, tree, again, err)
	}
}
