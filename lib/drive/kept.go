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
// holds. There is no other mark, so none can be left behind. A run takes a workspace, and
// becomes its user, before it touches the tree. A workspace is doubtful if its last run had no
// orderly end, if it is older than the last start of the machine, because its contents may
// not have reached the disk, or if it is not a directory of this user. A doubtful workspace
// is removed. If that fails it is set aside, see runstore.Store.RemoveTree.
const (
	keptDir  = "workspaces"
	keptTree = "tree"
	keptUser = "user"
	bootID   = "/proc/sys/kernel/random/boot_id"
)

// flattenName makes one file name of the name of a repository. It uses only characters that
// build tools accept in paths.
var flattenName = strings.NewReplacer("+", "+p", "/", "+-")

// A reuseRank says how well a kept workspace suits a run. The highest is the best.
type reuseRank int

const (
	inUse     reuseRank = iota
	abandoned           // by a driver that is gone: processes of its run may write there
	unusable            // absent, or doubtful
	anyCommit
	sameRef
	previousCommit
	sameCommit
)

// A pool is the kept workspaces of one repository, as a run that needs one sees them.
type pool struct {
	dir   string
	boot  string
	store *runstore.Store
	run   *runstore.Run
	warn  func(error) // called with each failure of a kept workspace

	settings config.Settings // of the repository
}

// takeKept takes the kept workspace of run's repository that suits run best. It returns the
// path of its tree, which need not exist, or "" if all are in use. Workspaces above the
// configured number, from an earlier configuration, are removed as soon as they are free. If the driver of
// the run that used one is gone, the processes of that run are ended first.
func takeKept(store *runstore.Store, run *runstore.Run, s config.Settings, warn func(error)) (string, error) {
	most := s.Workspaces
	top := filepath.Join(store.Root(), keptDir)
	p := &pool{dir: filepath.Join(top, flattenName.Replace(run.Repo)), store: store, run: run, warn: warn, settings: s}
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

// ours reports whether path is a directory of this user, not a link, and not a mount point.
// A job may have replaced it.
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

// makeOurs makes the directory path. It removes an entry of that name that is not ours.
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

// remove removes path or sets it aside. An error means that the name is still taken.
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

// removeBeyond removes the workspaces with numbers above most that are not in use.
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
		user, rank := p.examine(dir)
		if rank == abandoned && p.endUser(user) == nil {
			rank = unusable
		}
		if rank <= abandoned {
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
		best, bestRank := 0, inUse
		var bestUser *runstore.Run
		for n := 1; n <= most; n++ {
			user, rank := p.examine(p.path(n))
			if rank > bestRank && !failed[n] {
				best, bestRank, bestUser = n, rank, user
			}
		}
		if best == 0 {
			return ""
		}
		tree, err := "", error(nil)
		if bestRank == abandoned {
			bestRank, err = unusable, p.endUser(bestUser)
		}
		if err == nil {
			tree, err = p.prepare(p.path(best), bestUser, bestRank)
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

// prepare makes the run the user of a kept workspace. It removes a doubtful one, and moves
// a tree to the last user if that run keeps it.
func (p *pool) prepare(dir string, user *runstore.Run, rank reuseRank) (tree string, err error) {
	if err := leave(dir, user); err != nil {
		return "", err
	}
	tree = filepath.Join(dir, keptTree)
	if rank == unusable || !ours(tree) {
		if err := p.remove(dir); err != nil {
			return "", err
		}
	}
	if err := p.makeOurs(dir); err != nil {
		return "", err
	}
	return tree, writeUser(dir, p.run.ID+" "+p.boot)
}

// examine returns the run that used a kept workspace last, or nil if that is unknown, and
// how well the workspace suits the run that needs one.
func (p *pool) examine(dir string) (*runstore.Run, reuseRank) {
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
		return nil, unusable // the run is pruned, and how it ended is unknown
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

// leave moves the tree of a kept workspace to the run that used it last, if the workspace
// link of that run leads to the tree. The link may have been made through another path of
// the root.
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

// readUser returns the contents of a workspace's user file. It reads no more than the
// longest that quire writes, and follows no link.
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

// writeUser replaces a workspace's user file. The pool is locked. After a crash, a file that
// is not whole makes the workspace doubtful.
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
