package runstore

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// RemoveTree deletes dir and all below it, whatever jobs have made there: directories
// that cannot be written, as some build tools make their caches, and ones so deep that
// no path leads to their end and no process could have them all open.
func RemoveTree(dir string) error {
	err := os.RemoveAll(dir)
	if err == nil || !errors.Is(err, fs.ErrPermission) && !errors.Is(err, unix.EMFILE) &&
		!errors.Is(err, unix.ENFILE) && !errors.Is(err, unix.ENAMETOOLONG) {
		return err
	}
	if info, err2 := os.Lstat(dir); err2 != nil || !info.IsDir() {
		return err
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return err
	}
	if err := removeFlat(dir); err != nil {
		return err
	}
	return os.Remove(dir)
}

// removeFlat deletes all below dir. A directory goes when those in it have been moved up
// beside it.
func removeFlat(dir string) error {
	top, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer top.Close()
	unique := NewID(time.Now()) + "-" // no name of theirs
	moved := 0
	for {
		names, err := removeFiles(top, ".")
		if err != nil || len(names) == 0 {
			return err
		}
		for _, name := range names {
			inside, err := removeFiles(top, name)
			if err != nil {
				return err
			}
			for _, sub := range inside {
				moved++
				if err := top.Rename(path.Join(name, sub), unique+strconv.Itoa(moved)); err != nil {
					return err
				}
			}
			if err := top.Remove(name); err != nil {
				return err
			}
		}
	}
}

// removeFiles deletes what is in the directory name of top but for its directories,
// which it makes writable, and returns their names.
func removeFiles(top *os.Root, name string) (dirs []string, err error) {
	d, err := top.Open(name)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	entries, err := d.ReadDir(-1)
	for _, e := range entries {
		if err != nil {
			break
		}
		sub := path.Join(name, e.Name())
		if e.IsDir() {
			dirs = append(dirs, e.Name())
			err = top.Chmod(sub, 0o700) // to be opened, emptied and moved
		} else {
			err = top.Remove(sub)
		}
	}
	return dirs, err
}
