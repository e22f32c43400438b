package drive

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"quire/lib/file"
	"quire/lib/runstore"
)

// The kept workspaces of a repository are in workspaces/REPO/N of the root, REPO
// being one name, so that none is in another's:
//
//	tree   the workspace
//	user   "<run id> <boot id>" of who has it, or had it last
//
// One is in use while its user's run is driven, which is a lock that the kernel
// holds: there is no other mark, so none can be left behind. It is taken, and its
// user written, before the tree is touched. What its user was not driven to an
// orderly end with is not trusted, nor what was made before the machine started:
// what was on disk by then is not known.
const (
	keptDir  = "workspaces"
	keptTree = "tree"
	keptUser = "user"
	bootID   = "/proc/sys/kernel/random/boot_id"
)

// flat makes one name of a repository's, with nothing in it that a build tool takes
// for more than a character of a path.
var flat = strings.NewReplacer("+", "+p", "/", "+-")

// nearness says how good a start a kept workspace is.
type nearness int

const (
	inUse    nearness = iota
	unusable          // absent, or doubtful
	anyCommit
	sameRef
	previousCommit
	sameCommit
)

// A pool has the kept workspaces of the repository of a run that needs one.
type pool struct {
	dir   string
	boot  string
	store *runstore.Store
	run   *runstore.Run
}

// takeKept takes the kept workspace of run's repository that is nearest to its
// commit, of most, and returns its tree, which need not exist; "" where all are in
// use. Those beyond most, which were made when there were to be more, are removed
// as soon as nobody uses them.
func takeKept(store *runstore.Store, run *runstore.Run, most int) (string, error) {
	p := &pool{dir: filepath.Join(store.Root(), keptDir, flat.Replace(run.Repo)), store: store, run: run}
	if most > 0 {
		if err := os.MkdirAll(p.dir, 0o700); err != nil {
			return "", err
		}
	}
	unlock, err := p.lock()
	if most == 0 && errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	defer unlock()
	boot, err := os.ReadFile(bootID)
	if err != nil {
		return "", err
	}
	p.boot = string(boot)
	if err := p.removeBeyond(most); err != nil {
		return "", err
	}
	return p.take(most)
}

// lock waits for the pool's lock and returns what gives it back.
func (p *pool) lock() (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(p.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := file.Flock(f); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// removeBeyond removes those that are numbered higher than most and not in use.
func (p *pool) removeBeyond(most int) error {
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err != nil || n <= most {
			continue
		}
		dir := filepath.Join(p.dir, e.Name())
		user, near, err := p.examine(dir)
		if err != nil {
			return err
		}
		if near == inUse {
			continue
		}
		if err := clear(dir, user, unusable); err != nil {
			return err
		}
		if err := os.Remove(dir); err != nil {
			return err
		}
	}
	return nil
}

// take is takeKept of a pool that is locked.
func (p *pool) take(most int) (string, error) {
	var best string
	var bestNear nearness
	var bestUser *runstore.Run
	for n := 1; n <= most; n++ {
		dir := filepath.Join(p.dir, strconv.Itoa(n))
		user, near, err := p.examine(dir)
		if err != nil {
			return "", err
		}
		if near > bestNear {
			best, bestNear, bestUser = dir, near, user
		}
	}
	if best == "" {
		return "", nil
	}
	if err := clear(best, bestUser, bestNear); err != nil {
		return "", err
	}
	// The pool is locked, and part of this line, after a crash, makes the tree unusable.
	return filepath.Join(best, keptTree), file.Write(filepath.Join(best, keptUser), []byte(p.run.ID+" "+p.boot), 0o600)
}

// examine tells who used a kept workspace last, nil where that is not known, and
// how near it is to what the run needs.
func (p *pool) examine(dir string) (*runstore.Run, nearness, error) {
	text, err := os.ReadFile(filepath.Join(dir, keptUser))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, unusable, nil
	} else if err != nil {
		return nil, inUse, err
	}
	id, usedBoot, _ := strings.Cut(string(text), " ")
	if !runstore.IsID(id) {
		return nil, unusable, nil
	}
	user, err := p.store.Find(id)
	if errors.Is(err, runstore.ErrNotFound) {
		return nil, unusable, nil // pruned, and how it ended with it
	} else if err != nil {
		return nil, inUse, err
	}
	driven, err := user.Driven()
	if err != nil || driven {
		return user, inUse, err
	}
	status, err := user.Status()
	switch {
	case err != nil:
		return user, inUse, err
	case usedBoot != p.boot || !status.State.Final() || status.Reason == "orphaned":
		return user, unusable, nil
	case user.SHA == p.run.SHA:
		return user, sameCommit, nil
	case user.SHA == p.run.PreviousSHA:
		return user, previousCommit, nil
	case user.Ref == p.run.Ref:
		return user, sameRef, nil
	}
	return user, anyCommit, nil
}

// clear makes a kept workspace ready for what is next: what cannot be trusted
// goes, and what the last user was to keep is moved to where its link is.
func clear(dir string, user *runstore.Run, near nearness) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tree := filepath.Join(dir, keptTree)
	if user != nil {
		link := filepath.Join(user.Dir, runstore.WorkspaceDir)
		if target, err := os.Readlink(link); err == nil && target == tree {
			err := unix.Renameat2(unix.AT_FDCWD, tree, unix.AT_FDCWD, link, unix.RENAME_EXCHANGE)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("cannot leave workspace to run %s: %w", user.ID, err)
			}
			near = unusable // all that is left is the record of the tree
		}
	}
	if near > unusable {
		return nil
	}
	return removeKept(dir)
}

// removeKept removes all that is in a kept workspace.
func removeKept(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := runstore.RemoveTree(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
