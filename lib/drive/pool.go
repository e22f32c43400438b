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

// The pool of a repository is its reused workspaces, in workspaces/REPO/N of the root. REPO
// is the name of the repository in one component, so that no repository is inside another:
//
//	tree   the workspace
//	user   "<run id> <boot id>" of its occupant: the run that uses it, or used it last
//
// A workspace is in use while its occupant has a driver, which means that the driver's
// process holds a lock. Nothing else marks it, so a crash leaves no stale mark. A run becomes
// the occupant of a workspace before it touches the tree. A workspace is doubtful if its
// occupant did not end normally, if it is older than the last boot, because its contents may
// not have reached the disk, or if it is not a directory of this user. A doubtful workspace
// is removed. If that fails, it is set aside, see runstore.Store.RemoveTree.
const (
	poolDir      = "workspaces"
	poolTree     = "tree"
	occupantFile = "user"
	bootID       = "/proc/sys/kernel/random/boot_id"
)

// flattenName turns the name of a repository into one file name, of characters that build
// tools accept in paths.
var flattenName = strings.NewReplacer("+", "+p", "/", "+-")

// A reuseRank says how well a workspace of the pool suits a run. The highest is the best.
type reuseRank int

const (
	inUse    reuseRank = iota
	undriven           // the driver was killed: processes of the run may still write here
	unusable           // absent or doubtful
	anyCommit
	sameRef
	previousCommit
	sameCommit
)

// A pool gives run a workspace of its repository's pool.
type pool struct {
	dir   string
	boot  string
	store *runstore.Store
	run   *runstore.Run
	warn  func(error) // called with each failure of a workspace

	settings config.Settings // of the repository
}

// takePooled takes the workspace of the repository's pool that suits run best. It returns
// the path of its tree, which need not exist, or "" if all are in use. It removes unused
// workspaces with numbers above the configured one, which an earlier configuration made. If
// the driver of an occupant was killed, takePooled ends the processes of that run first.
func takePooled(store *runstore.Store, run *runstore.Run, s config.Settings, warn func(error)) (string, error) {
	most := s.Workspaces
	top := filepath.Join(store.Root(), poolDir)
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

// ours reports whether path is a directory of this user, and neither a link nor a mount
// point. A job may have replaced it.
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

// makeOurs creates the directory path. It first removes an entry that is not ours.
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

// remove removes path or sets it aside. On error, path still exists.
func (p *pool) remove(path string) error {
	free, err := p.store.RemoveTree(path, p.run.ID)
	if err != nil && free {
		p.warn(err)
		return nil
	}
	return err
}

// lock waits for the pool's lock and returns a function that unlocks it.
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
		occupant, rank := p.examine(dir)
		if rank == undriven && p.endOccupant(occupant) == nil {
			rank = unusable
		}
		if rank <= undriven {
			continue
		}
		err := moveToOccupant(dir, occupant)
		if err == nil {
			_, err = p.store.RemoveTree(dir, p.run.ID)
		}
		if err != nil {
			p.warn(err)
		}
	}
	return nil
}

// take does the work of takePooled while the pool is locked.
func (p *pool) take(most int) string {
	failed := map[int]bool{}
	for {
		best, bestRank := 0, inUse
		var bestOccupant *runstore.Run
		for n := 1; n <= most; n++ {
			occupant, rank := p.examine(p.path(n))
			if rank > bestRank && !failed[n] {
				best, bestRank, bestOccupant = n, rank, occupant
			}
		}
		if best == 0 {
			return ""
		}
		tree, err := "", error(nil)
		if bestRank == undriven {
			bestRank, err = unusable, p.endOccupant(bestOccupant)
		}
		if err == nil {
			tree, err = p.prepare(p.path(best), bestOccupant, bestRank)
		}
		if err == nil {
			return tree
		}
		p.warn(err)
		failed[best] = true
	}
}

// endOccupant ends the processes of an occupant whose driver was killed.
func (p *pool) endOccupant(occupant *runstore.Run) error {
	if err := p.store.EndOrphans(p.settings.Grace, occupant); err != nil {
		return err
	}
	if left, err := occupant.Abandoned(); err != nil || left {
		return errors.Join(fmt.Errorf("cannot end the processes of run %s, whose driver is gone", occupant.ID), err)
	}
	if p.settings.KeepsWorkspace(true) {
		return nil
	}
	return occupant.RemoveWorkspace()
}

func (p *pool) path(n int) string { return filepath.Join(p.dir, strconv.Itoa(n)) }

// prepare makes the run the occupant of a workspace. It removes a doubtful workspace. If the
// last occupant keeps its workspace, prepare moves the tree to that run.
func (p *pool) prepare(dir string, occupant *runstore.Run, rank reuseRank) (tree string, err error) {
	if err := moveToOccupant(dir, occupant); err != nil {
		return "", err
	}
	tree = filepath.Join(dir, poolTree)
	if rank == unusable || !ours(tree) {
		if err := p.remove(dir); err != nil {
			return "", err
		}
	}
	if err := p.makeOurs(dir); err != nil {
		return "", err
	}
	return tree, writeOccupant(dir, p.run.ID+" "+p.boot)
}

// examine returns the occupant of a workspace, or nil if it is unknown, and how well the
// workspace suits p.run.
func (p *pool) examine(dir string) (*runstore.Run, reuseRank) {
	if !ours(dir) {
		return nil, unusable
	}
	text, err := readOccupant(dir)
	if err != nil {
		return nil, unusable
	}
	id, usedBoot, _ := strings.Cut(text, " ")
	if !runstore.IsID(id) {
		return nil, unusable
	}
	occupant, err := p.store.Find(id)
	if errors.Is(err, runstore.ErrNotFound) {
		return nil, unusable // the run was pruned, so how it ended is unknown
	}
	var driven bool
	if err == nil {
		driven, err = occupant.Driven()
	}
	var left bool
	if err == nil {
		left, err = occupant.Abandoned()
	}
	var status runstore.Status
	if err == nil {
		status, err = occupant.Status()
	}
	switch {
	case err != nil:
		p.warn(err)
		return nil, inUse
	case driven:
		return occupant, inUse
	case left:
		return occupant, undriven
	case usedBoot != p.boot || !status.State.Final() || status.Reason == "orphaned":
		return occupant, unusable
	case occupant.SHA == p.run.SHA:
		return occupant, sameCommit
	case occupant.SHA == p.run.PreviousSHA:
		return occupant, previousCommit
	case occupant.Ref == p.run.Ref:
		return occupant, sameRef
	}
	return occupant, anyCommit
}

// moveToOccupant moves the tree of a workspace to its occupant, if the workspace link of that
// run leads to the tree. The link may use another path of the root.
func moveToOccupant(dir string, occupant *runstore.Run) error {
	if occupant == nil {
		return nil
	}
	tree, link := filepath.Join(dir, poolTree), filepath.Join(occupant.Dir, runstore.WorkspaceDir)
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 || !sameDir(tree, link) {
		return nil
	}
	if err := unix.Renameat2(unix.AT_FDCWD, tree, unix.AT_FDCWD, link, unix.RENAME_EXCHANGE); err != nil {
		return fmt.Errorf("cannot leave workspace to run %s: %w", occupant.ID, err)
	}
	return os.Remove(tree) // now the link
}

func sameDir(a, b string) bool {
	x, errX := os.Lstat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// readOccupant returns the contents of a workspace's file occupantFile. It reads at most the
// length that quire writes, and follows no link.
func readOccupant(dir string) (string, error) {
	f, err := os.OpenFile(filepath.Join(dir, occupantFile), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text := make([]byte, 200)
	n, err := f.Read(text)
	return string(text[:n]), err
}

// writeOccupant replaces a workspace's file occupantFile. The pool is locked. If a crash
// leaves the file incomplete, the workspace is doubtful.
func writeOccupant(dir, occupant string) error {
	path := filepath.Join(dir, occupantFile)
	if err := file.RemoveTree(path); err != nil { // a job may have made it a link
		return err
	}
	f, err := file.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(occupant)
	return errors.Join(err, f.Close())
}
