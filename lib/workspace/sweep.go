package workspace

import (
	"fmt"
	"path"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"quire/lib/git"
)

// A sweep goes over a tree that jobs have left, directory by directory, and puts
// right what is not as the plan has it: it makes directories, and removes what is
// wrong or not in the plan. Files that are then missing it leaves in todo.
type sweep struct {
	plan     *plan
	root     fd
	filtered *filtered
	children []map[string]child // by directory
	old      map[string]stamp
	records  *recorder
	kept     *keptSet // what else may stay
	perm     uint32   // of directories; those of files follow

	// leaveFiles is for a second sweep, which only removes.
	leaveFiles bool

	slots chan struct{} // one for each directory that may be worked on at a time
	group sync.WaitGroup
	mu    sync.Mutex
	todo  []int32
	err   error
}

// child is a name that belongs in a directory.
type child struct {
	index int32
	isDir bool
}

// newSweep prepares the sweep of the stage's tree.
func (m *materializer) newSweep(root fd, filtered *filtered, records *recorder) (*sweep, error) {
	perm, err := m.stage.dirPerm()
	if err != nil {
		return nil, err
	}
	kept := &keptSet{}
	if m.options.KeepIgnored {
		kept.all = true // for now: git cannot tell before the files are right
	}
	return &sweep{
		plan: m.plan, root: root, filtered: filtered, records: records,
		children: m.plan.children(), old: loadRecord(m.stage.record), kept: kept, perm: perm,
	}, nil
}

// children lists what belongs in each directory.
func (p *plan) children() []map[string]child {
	children := make([]map[string]child, len(p.dirs))
	for i := range children {
		children[i] = map[string]child{}
	}
	for i, d := range p.dirs {
		if i > 0 {
			children[d.parent][path.Base(d.path)] = child{int32(i), true}
		}
	}
	for i := range p.files {
		children[p.files[i].dir][p.files[i].name] = child{int32(i), false}
	}
	return children
}

// run sweeps the whole tree. The directories are worked on side by side.
func (s *sweep) run() error {
	s.slots = make(chan struct{}, runtime.GOMAXPROCS(0))
	s.start(0)
	s.group.Wait()
	slices.Sort(s.todo) // the order in which packs are quickest to read
	return s.err
}

func (s *sweep) start(dir int32) {
	s.group.Go(func() {
		s.slots <- struct{}{}
		subs, err := s.sweepDir(dir)
		<-s.slots
		if err != nil {
			s.mu.Lock()
			if s.err == nil {
				s.err = fmt.Errorf("in '%s': %w", shorten(s.plan.dirs[dir].path), err)
			}
			s.mu.Unlock()
			return
		}
		for _, sub := range subs {
			s.start(sub)
		}
	})
}

// sweepDir puts one directory right, which is there, and returns its directories.
func (s *sweep) sweepDir(index int32) (subs []int32, err error) {
	dir, err := openDir(s.root, s.plan.dirs[index].path)
	if err != nil {
		return nil, err
	}
	defer dir.close()
	names, err := dir.names()
	if err != nil {
		return nil, err
	}
	children := s.children[index]
	right := make(map[string]bool, len(children))
	for _, name := range names {
		c, ok := children[name]
		switch {
		case !ok:
			err = s.kept.remove(dir, s.plan.dirs[index].path, name)
		case c.isDir:
			right[name], err = s.checkDir(dir, name)
		default:
			right[name], err = s.checkFile(dir, name, c.index)
		}
		if err != nil {
			return nil, err
		}
	}
	var todo []int32
	for name, c := range children {
		if c.isDir {
			subs = append(subs, c.index)
		}
		switch {
		case right[name]:
		case !c.isDir:
			todo = append(todo, c.index)
		default:
			if err := retry(func() error { return unix.Mkdirat(int(dir), name, 0o777) }); err != nil {
				return nil, fileError("make directory", name, err)
			}
		}
	}
	s.mu.Lock()
	s.todo = append(s.todo, todo...)
	s.mu.Unlock()
	return subs, nil
}

// checkDir reports whether name is a directory, of which it puts the mode right;
// anything else it removes.
func (s *sweep) checkDir(dir fd, name string) (bool, error) {
	st, err := dir.lstat(name)
	if err != nil {
		return false, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return false, dir.removeAll(name)
	}
	if st.Mode&0o7777 == s.perm {
		return true, nil
	}
	if err := dir.chmod(name, s.perm); err != nil {
		return false, fileError("change mode of", name, err)
	}
	return true, nil
}

// checkFile reports whether name is the file of the plan; what is not it removes.
func (s *sweep) checkFile(dir fd, name string, index int32) (bool, error) {
	if s.leaveFiles {
		return true, nil
	}
	f := &s.plan.files[index]
	full := s.plan.path(f)
	if f.mode == git.ModeLink || !s.filtered.has(full) {
		st, err := dir.lstat(name)
		if err != nil {
			return false, err
		}
		if s.isSame(dir, f, full, &st) {
			if f.mode != git.ModeLink {
				s.records.set(index, &st)
			}
			return true, nil
		}
	}
	return false, dir.removeAll(name)
}
