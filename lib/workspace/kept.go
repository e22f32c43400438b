package workspace

import (
	"context"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// A keptSet is what may stay in a workspace though the plan does not have it.
type keptSet struct {
	all     bool
	paths   map[string]bool // of what stays, with all below it
	parents map[string]bool // of directories that something stays in
}

// newKeptSet makes one of what git lists: paths, those of directories with a slash
// at the end.
func newKeptSet(list []string) *keptSet {
	k := &keptSet{paths: map[string]bool{}, parents: map[string]bool{}}
	for _, p := range list {
		p = strings.TrimSuffix(p, "/")
		k.paths[p] = true
		for dir := path.Dir(p); dir != "." && !k.parents[dir]; dir = path.Dir(dir) {
			k.parents[dir] = true
		}
	}
	return k
}

// remove removes name in dir, whose path is dirPath, but for what is kept.
func (k *keptSet) remove(dir fd, dirPath, name string) error {
	full := path.Join(dirPath, name)
	if k.all || k.paths[full] {
		return nil
	}
	if !k.parents[full] {
		return dir.removeAll(name)
	}
	st, err := dir.lstat(name)
	if err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return dir.removeAll(name)
	}
	if st.Mode&0o700 != 0o700 {
		if err := dir.chmod(name, st.Mode&0o7777|0o700); err != nil {
			return fileError("change mode of", name, err)
		}
	}
	sub, err := openDir(dir, name)
	if err != nil {
		return err
	}
	defer sub.close()
	names, err := sub.names()
	if err != nil {
		return err
	}
	for _, n := range names {
		if err := k.remove(sub, full, n); err != nil {
			return err
		}
	}
	return nil
}

// removeUntracked removes what is neither in the plan nor ignored by git. The
// files of the plan must be there: they say what is ignored.
func (m *materializer) removeUntracked(ctx context.Context, root fd) error {
	index, err := m.repo.NewIndex(m.stage.path("ignored-index"), m.plan.index())
	if err != nil {
		return err
	}
	list, err := index.Ignored(ctx, m.stage.tree)
	if err != nil {
		return err
	}
	perm, err := m.stage.dirPerm()
	if err != nil {
		return err
	}
	s := &sweep{
		plan: m.plan, root: root, old: &record{}, perm: perm,
		kept: newKeptSet(list), leaveFiles: true,
	}
	return s.run()
}
