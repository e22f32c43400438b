package workspace

import (
	"path"

	"golang.org/x/sys/unix"

	"quire/lib/git"
)

// A tidier puts right what is in one directory.
type tidier struct {
	*sweep
	dir     fd
	path    string
	todo    []todo
	touched bool // names come or go here
}

// child is a name that belongs in a directory.
type child struct {
	index int32
	isDir bool
}

// checkAll puts right whatever the directory has.
func (t *tidier) checkAll(d *dir, buffer []byte) error {
	names, err := t.dir.list(buffer)
	if err != nil {
		return err
	}
	missing := make(map[string]child, len(names))
	for i := d.files[0]; i < d.files[1]; i++ {
		missing[t.plan.files[i].name] = child{int32(i), false}
	}
	for _, sub := range d.subs {
		missing[path.Base(t.plan.dirs[sub].path)] = child{sub, true}
	}
	for _, name := range names {
		c, ok := missing[name]
		right := false
		switch {
		case !ok:
			t.touched = true
			err = t.kept.remove(t.dir, t.path, name)
		case c.isDir:
			right, err = t.checkDir(name)
		default:
			right, err = t.checkFile(c.index)
		}
		if err != nil {
			return err
		}
		if right {
			delete(missing, name)
		}
	}
	for name, c := range missing {
		t.touched = true
		if !c.isDir {
			t.todo = append(t.todo, todo{file: c.index})
		} else if err := retry(func() error { return unix.Mkdirat(int(t.dir), name, 0o777) }); err != nil {
			return fileError("make directory", name, err)
		}
	}
	return nil
}

// checkFiles puts files right that are there, in a directory that has nothing else
// but its directories.
func (t *tidier) checkFiles(files [2]int) error {
	for i := files[0]; i < files[1]; i++ {
		right, err := t.checkFile(int32(i))
		if err != nil {
			return err
		}
		if !right {
			t.touched = true
			t.todo = append(t.todo, todo{file: int32(i)})
		}
	}
	return nil
}

// checkDir reports whether name is a directory; anything else it removes.
func (t *tidier) checkDir(name string) (bool, error) {
	st, err := t.dir.lstat(name)
	if err != nil {
		return false, err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		return true, nil
	}
	return false, t.dir.removeAll(name)
}

// checkFile reports whether the file of the plan is there, right or to be written
// over; what is anything else it removes.
func (t *tidier) checkFile(index int32) (bool, error) {
	if t.leaveFiles {
		return true, nil
	}
	f := &t.plan.files[index]
	st, err := t.dir.lstat(f.name)
	if err != nil {
		return false, err
	}
	id, byGit := t.filtered.of(index)
	right := false
	if byGit {
		right = id != "" && t.isOurs(f, &st) && t.old.oid(&st) == id
	} else {
		right = t.isSame(t.dir, f, &st)
	}
	if right {
		if f.mode != git.ModeLink {
			t.records.files[index] = newStamp(&st)
		}
		return true, nil
	}
	if !byGit && f.mode != git.ModeLink && t.isOurs(f, &st) {
		t.todo = append(t.todo, todo{index, true})
		return true, nil
	}
	return false, t.dir.removeAll(f.name)
}
