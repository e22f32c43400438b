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

	mu     sync.Mutex
	change *sync.Cond // of what follows
	queue  []int32    // directories that are there and wait to be put right
	active int        // those that are being put right
	todo   []int32
	err    error // the first
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

// run sweeps the whole tree, with as many workers as there are processors.
func (s *sweep) run() error {
	s.change = sync.NewCond(&s.mu)
	s.queue = []int32{0}
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(s.work)
	}
	workers.Wait()
	slices.Sort(s.todo) // the order in which packs are quickest to read
	return s.err
}

func (s *sweep) work() {
	buffer := make([]byte, 16<<10)
	for {
		dir, ok := s.next()
		if !ok {
			return
		}
		subs, todo, err := s.sweepDir(dir, buffer)
		s.mu.Lock()
		s.active--
		s.queue = append(s.queue, subs...)
		s.todo = append(s.todo, todo...)
		if err != nil && s.err == nil {
			s.err = fmt.Errorf("in '%s': %w", shorten(s.plan.dirs[dir].path), err)
		}
		s.change.Broadcast()
		s.mu.Unlock()
	}
}

// next takes a directory from the queue. It is not ok when there is none any more,
// or something failed.
func (s *sweep) next() (dir int32, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) == 0 && s.active > 0 && s.err == nil {
		s.change.Wait()
	}
	if len(s.queue) == 0 || s.err != nil {
		return 0, false
	}
	last := len(s.queue) - 1
	dir, s.queue = s.queue[last], s.queue[:last]
	s.active++
	return dir, true
}

// sweepDir puts one directory right, which is there, and returns the directories
// in it, which then are there, too, and the files that are missing.
func (s *sweep) sweepDir(index int32, buffer []byte) (subs, todo []int32, err error) {
	dir, err := openDir(s.root, s.plan.dirs[index].path)
	if err != nil {
		return nil, nil, err
	}
	defer dir.close()
	names, err := dir.list(buffer)
	if err != nil {
		return nil, nil, err
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
			return nil, nil, err
		}
	}
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
				return nil, nil, fileError("make directory", name, err)
			}
		}
	}
	return subs, todo, nil
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
