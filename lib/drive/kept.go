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

	"quire/lib/config"
	"quire/lib/file"
	"quire/lib/runstore"
)

// The kept workspaces of a repository are in workspaces/REPO/N of the root. REPO is the
// name of the repository in one component, so that no repository is inside another:
//
//	tree   the workspace
//	user   "<run id> <boot id>" of the run that uses it, or used it last
//
// A workspace is in use while its user has a driver, which is a lock that the kernel
// holds: there is no other mark, so none can be left behind. It is taken, and its
// user written, before the tree is touched. It is doubtful if the run did not come to an
// orderly end, if the machine started since, because what was on disk by then is not
// known, or if it is not a directory of this user. A doubtful workspace is removed, and
// if that fails it is set aside, see runstore.Store.RemoveTree.
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
	inUse     nearness = iota
	abandoned          // by a driver that is gone: processes of its run may write there
	unusable           // absent, or doubtful
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
	warn  func(error) // told what goes wrong with one of them

	settings config.Settings // of the repository
}

// takeKept takes the kept workspace of run's repository that is nearest to its
// commit, and returns its tree, which need not exist; "" if all are in use. Workspaces
// from when more were configured are removed as soon as they are free. If the driver of
// the run that used one is gone, the processes of that run are ended first.
func takeKept(store *runstore.Store, run *runstore.Run, s config.Settings, warn func(error)) (string, error) {
	most := s.Workspaces
	top := filepath.Join(store.Root(), keptDir)
	p := &pool{dir: filepath.Join(top, flat.Replace(run.Repo)), store: store, run: run, warn: warn, settings: s}
	if most == 0 {
		if _, err := os.Lstat(p.dir); errors.Is(err, fs.ErrNotExist) {
			return "", nil
		}
	}
	if err := os.MkdirAll(top, 0o700); err != nil {
		return "", err
	}
	if err := p.makeOurs(p.dir); err != nil {
		return "", err
	}
	unlock, err := p.lock()
	if err != nil {
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
	return p.take(most), nil
}

// ours reports whether path is a directory that this user made: no link to one, and nothing
// is mounted on it. A job may have replaced it.
func ours(path string) bool {
	parent, err := file.OpenFile(filepath.Dir(path), unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return false
	}
	defer parent.Close()
	fd, err := file.OpenAt(int(parent.Fd()), filepath.Base(path), unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	return unix.Fstat(fd, &st) == nil && int(st.Uid) == os.Geteuid()
}

// makeOurs makes the directory path, in place of anything that is there and not ours.
func (p *pool) makeOurs(path string) error {
	if ours(path) {
		return nil
	}
	if err := p.remove(path); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// remove removes path or sets it aside. The error is that the name is still taken.
func (p *pool) remove(path string) error {
	free, err := p.store.RemoveTree(path, p.run.ID)
	if err != nil && free {
		p.warn(err)
		return nil
	}
	return err
}

// lock waits for the pool's lock and returns what unlocks it.
func (p *pool) lock() (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(p.dir, "lock"), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
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
		user, near := p.examine(dir)
		if near == abandoned && p.endUser(user) == nil {
			near = unusable
		}
		if near <= abandoned {
			continue
		}
		err := leave(dir, user)
		if err == nil {
			_, err = p.store.RemoveTree(dir, p.run.ID)
		}
		if err != nil {
			p.warn(err)
		}
	}
	return nil
}

// take is takeKept of a pool that is locked.
func (p *pool) take(most int) string {
	failed := map[int]bool{}
	for {
		best, bestNear := 0, inUse
		var bestUser *runstore.Run
		for n := 1; n <= most; n++ {
			user, near := p.examine(p.path(n))
			if near > bestNear && !failed[n] {
				best, bestNear, bestUser = n, near, user
			}
		}
		if best == 0 {
			return ""
		}
		tree, err := "", error(nil)
		if bestNear == abandoned {
			bestNear, err = unusable, p.endUser(bestUser)
		}
		if err == nil {
			tree, err = p.prepare(p.path(best), bestUser, bestNear)
		}
		if err == nil {
			return tree
		}
		p.warn(err)
		failed[best] = true
	}
}

// endUser ends what is left of the run that used a kept workspace and whose driver is gone.
func (p *pool) endUser(user *runstore.Run) error {
	if err := p.store.EndOrphans(p.settings.Grace, user); err != nil {
		return err
	}
	if left, err := user.Abandoned(); err != nil || left {
		return errors.Join(fmt.Errorf("cannot end what is left of run %s, whose driver is gone", user.ID), err)
	}
	if p.settings.Keeps(true) {
		return nil
	}
	return user.RemoveWorkspace()
}

func (p *pool) path(n int) string { return filepath.Join(p.dir, strconv.Itoa(n)) }

// prepare makes the run the user of a kept workspace: a doubtful one is removed, and a
// tree that the last user keeps goes to it.
func (p *pool) prepare(dir string, user *runstore.Run, near nearness) (tree string, err error) {
	if err := leave(dir, user); err != nil {
		return "", err
	}
	tree = filepath.Join(dir, keptTree)
	if near == unusable || !ours(tree) {
		if err := p.remove(dir); err != nil {
			return "", err
		}
	}
	if err := p.makeOurs(dir); err != nil {
		return "", err
	}
	return tree, writeUser(dir, p.run.ID+" "+p.boot)
}

// examine returns the run that used a kept workspace last, nil if that is not known, and
// how near it is to what the run needs.
func (p *pool) examine(dir string) (*runstore.Run, nearness) {
	if !ours(dir) {
		return nil, unusable
	}
	text, err := readUser(dir)
	if err != nil {
		return nil, unusable
	}
	id, usedBoot, _ := strings.Cut(text, " ")
	if !runstore.IsID(id) {
		return nil, unusable
	}
	user, err := p.store.Find(id)
	if errors.Is(err, runstore.ErrNotFound) {
		return nil, unusable // pruned, and how it ended with it
	}
	var driven bool
	if err == nil {
		driven, err = user.Driven()
	}
	var left bool
	if err == nil {
		left, err = user.Abandoned()
	}
	var status runstore.Status
	if err == nil {
		status, err = user.Status()
	}
	switch {
	case err != nil:
		p.warn(err)
		return nil, inUse
	case driven:
		return user, inUse
	case left:
		return user, abandoned
	case usedBoot != p.boot || !status.State.Final() || status.Reason == "orphaned":
		return user, unusable
	case user.SHA == p.run.SHA:
		return user, sameCommit
	case user.SHA == p.run.PreviousSHA:
		return user, previousCommit
	case user.Ref == p.run.Ref:
		return user, sameRef
	}
	return user, anyCommit
}

// leave moves the tree of a kept workspace to the run that used it last, if that run
// keeps it: if its link leads there, whichever path of the root the link has.
func leave(dir string, user *runstore.Run) error {
	if user == nil {
		return nil
	}
	tree, link := filepath.Join(dir, keptTree), filepath.Join(user.Dir, runstore.WorkspaceDir)
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 || !sameDir(tree, link) {
		return nil
	}
	if err := unix.Renameat2(unix.AT_FDCWD, tree, unix.AT_FDCWD, link, unix.RENAME_EXCHANGE); err != nil {
		return fmt.Errorf("cannot leave workspace to run %s: %w", user.ID, err)
	}
	return os.Remove(tree) // which is the link now
}

func sameDir(a, b string) bool {
	x, errX := os.Lstat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// readUser returns the mark of a kept workspace's user. The file is short, and no link.
func readUser(dir string) (string, error) {
	f, err := os.OpenFile(filepath.Join(dir, keptUser), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text := make([]byte, 200)
	n, err := f.Read(text)
	return string(text[:n]), err
}

// writeUser replaces the mark. The pool is locked, and a part of the mark, after a crash,
// makes the workspace doubtful.
func writeUser(dir, user string) error {
	path := filepath.Join(dir, keptUser)
	if err := file.RemoveTree(path); err != nil { // it may be a link by now
		return err
	}
	f, err := file.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(user)
	return errors.Join(err, f.Close())
}
