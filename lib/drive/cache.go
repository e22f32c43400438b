package drive

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"quire/lib/file"
	"quire/lib/runstore"
	"quire/lib/text"
)

// The caches of a repository are in cache/REPO of the root. REPO is the name of the
// repository in one component:
//
//	KEY        the directory that jobs get: "repo", or the name of the ref in one component
//	KEY.lock   locked by the drivers of the runs that use it; its time is the last use
//
// A sandbox contains only KEY, so a job in it cannot reach the lock. The name of a ref cannot
// end in .lock, see git-check-ref-format(1).
const (
	cacheDir    = "cache"
	CacheLock   = ".lock"     // ends the name of the lock file of a cache
	removedMark = ".removed-" // begins the name of a cache that is being removed
)

// maxKey is the length in bytes of the longest key that names its ref. Others are hashes.
const maxKey = 200

// makerByte is the byte of the lock file that a driver locks while it creates the cache.
const makerByte = 1

// cacheKey returns the name of the cache of a run.
func cacheKey(setting, ref string) string {
	if setting == "repo" {
		return setting
	}
	key := flattenName.Replace(ref)
	if len(key) > maxKey {
		key = fmt.Sprintf("sha256-%x", sha256.Sum256([]byte(ref)))
	}
	return key
}

// takeCache creates the cache of run and takes its lock, which runs share. It returns the
// path without symbolic links, and the lock, which the caller closes when the run has ended.
// If a job has replaced the cache by something else, takeCache removes that and calls warn.
// On error it returns the path as far as it is known.
func takeCache(store *runstore.Store, run *runstore.Run, setting string, warn func(error)) (dir string, lock *os.File, err error) {
	p := &pool{store: store, run: run, warn: warn}
	top := filepath.Join(store.Root(), cacheDir)
	if err = os.MkdirAll(top, 0o700); err != nil {
		return top, nil, err
	}
	if dir, err = filepath.EvalSymlinks(top); err != nil {
		return top, nil, err
	}
	dir = filepath.Join(dir, flattenName.Replace(run.Repo))
	if err = p.makeCacheDir(dir); err != nil {
		return dir, nil, err
	}
	dir = filepath.Join(dir, cacheKey(setting, run.Ref))
	if lock, err = file.OpenLockFile(dir+CacheLock, file.Shared, true); err != nil {
		return dir, nil, err
	}
	if err = file.Lock(lock, makerByte, file.Exclusive); err == nil {
		err = errors.Join(p.makeCacheDir(dir), touch(lock), file.Unlock(lock, makerByte))
	}
	if err != nil {
		lock.Close()
	}
	return dir, lock, err
}

// makeCacheDir is makeOurs with a warning if it removes something.
func (p *pool) makeCacheDir(dir string) error {
	if _, missing := os.Lstat(dir); missing == nil && !ours(dir) {
		p.warn(fmt.Errorf("the cache '%s' was not a directory of this user and is removed", dir))
	}
	return p.makeOurs(dir)
}

// releaseCache sets the time of the last use of a cache and unlocks it. lock may be nil.
func releaseCache(lock *os.File) {
	if lock != nil {
		_ = touch(lock)
		lock.Close()
	}
}

func touch(f *os.File) error { now := time.Now(); return os.Chtimes(f.Name(), now, now) }

// useCache takes the cache of the plan's run, if the setting asks for one, and puts its path
// into the plan. The lock may be nil.
func (p *Plan) useCache(store *runstore.Store, run *runstore.Run) (lock *os.File) {
	if p.Settings.Cache == "none" {
		return nil
	}
	dir, lock, err := takeCache(store, run, p.Settings.Cache, func(err error) { warnInLog(run, err) })
	if err != nil {
		p.NoCache = fmt.Sprintf("cannot use the cache '%s' of run %s: %v", dir, run.ID, text.Cause(err))
		return nil
	}
	p.Cache = dir
	return lock
}

// A CachePrune says which caches to remove.
type CachePrune struct {
	Unused func(repo string) time.Duration // caches that no run used for longer; 0: none
	Most   uint64                          // the least recently used, until all have at most so many bytes; 0: none
	Dry    bool                            // remove nothing
}

// PruneCaches removes caches that no run uses, and calls removed with the path of each. It
// continues after a cache that cannot be removed.
func PruneCaches(store *runstore.Store, o CachePrune, removed func(path string)) error {
	top := filepath.Join(store.Root(), cacheDir)
	found, err := findCaches(top)
	failures := []error{err}
	remove := func(c cache) bool {
		done, err := c.remove(store, o.Dry)
		if err != nil {
			failures = append(failures, fmt.Errorf("cannot remove cache '%s': %w", c.path, text.Cause(err)))
		} else if done {
			removed(c.path)
		}
		return done
	}
	var sum uint64
	var rest []cache
	for _, c := range found {
		if age := o.Unused(c.repo); age > 0 && time.Since(c.used) > age && remove(c) {
			continue
		}
		if o.Most == 0 {
			continue
		}
		c.size, err = file.DiskSize(top, c.path, true)
		if err != nil && !errors.Is(err, unix.ENOTDIR) { // the next run replaces a file
			// A job may have nested directories too deep to be measured.
			failures = append(failures, fmt.Errorf("cannot measure cache '%s': %w", c.path, text.Cause(err)))
			c.size = o.Most + 1
		}
		sum += c.size
		rest = append(rest, c)
	}
	slices.SortFunc(rest, func(a, b cache) int { return a.used.Compare(b.used) })
	for _, c := range rest {
		if sum > o.Most && remove(c) {
			sum -= c.size
		}
	}
	return errors.Join(failures...)
}

// A cache is a cache that PruneCaches found.
type cache struct {
	path string
	repo string // the name of the repository
	used time.Time
	size uint64
}

// unflattenName is the inverse of flattenName.
var unflattenName = strings.NewReplacer("+p", "+", "+-", "/")

// findCaches returns the caches below top. It removes the leftovers of a killed prune.
func findCaches(top string) (found []cache, err error) {
	repos, err := os.ReadDir(top)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for _, repo := range repos {
		if !repo.IsDir() {
			continue
		}
		entries, failed := os.ReadDir(filepath.Join(top, repo.Name()))
		err = errors.Join(err, failed)
		for _, e := range entries {
			path := filepath.Join(top, repo.Name(), e.Name())
			switch {
			case strings.HasPrefix(e.Name(), removedMark):
				err = errors.Join(err, file.RemoveTree(path))
			case !strings.HasSuffix(e.Name(), CacheLock):
				info, failed := os.Lstat(path + CacheLock)
				if failed != nil {
					info, failed = os.Lstat(path)
				}
				if failed == nil {
					found = append(found, cache{path: path, repo: unflattenName.Replace(repo.Name()), used: info.ModTime()})
				}
			}
		}
	}
	return found, err
}

// remove removes the cache unless a run uses it. It renames the cache first, so that a new
// run does not wait for the removal.
func (c *cache) remove(store *runstore.Store, dry bool) (done bool, err error) {
	lock, err := file.OpenLockFile(c.path+CacheLock, file.Exclusive, false)
	if errors.Is(err, file.ErrBusy) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer lock.Close()
	if dry {
		return true, nil
	}
	id := runstore.NewID(time.Now())
	aside := filepath.Join(filepath.Dir(c.path), removedMark+id)
	if err := os.Rename(c.path, aside); err != nil {
		return false, err
	}
	if err := os.Remove(lock.Name()); err != nil {
		return false, err
	}
	lock.Close()
	_, err = store.RemoveTree(aside, id)
	return err == nil, err
}
