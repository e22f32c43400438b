package workspace

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// A sweep goes over a tree that jobs have left, directory by directory, and puts
// right what is not as the plan has it: it makes directories, and removes what is
// wrong or not in the plan. Files that are then missing, or wrong and left to be
// written over, it leaves in todo.
//
// A file system without a journal is slow to make files where others were removed
// a minute ago. So what has other contents is not removed first.
type sweep struct {
	plan     *plan
	root     fd
	filtered *filtered
	old      *record
	records  *recorder // nil: nothing is recorded
	kept     *keptSet  // what else may stay
	perm     uint32    // of directories; those of files follow
	uid      int       // of who asks

	// leaveFiles is for a second sweep, which only removes.
	leaveFiles bool

	mu     sync.Mutex
	change *sync.Cond // of what follows
	queue  []int32    // directories that are there and wait to be put right
	active int        // those that are being put right
	todo   []todo
	err    error // the first
}

// todo is a file to be written, by index.
type todo struct {
	file int32
	over bool // a file that is there, of the same mode
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
		old: m.stage.old(), kept: kept, perm: perm, uid: os.Geteuid(),
	}, nil
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
	slices.SortFunc(s.todo, func(a, b todo) int { return cmp.Compare(a.file, b.file) }) // as packs are quickest to read
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
// in it, which then are there, too, and the files to be written.
func (s *sweep) sweepDir(index int32, buffer []byte) (subs []int32, files []todo, err error) {
	dir, st, err := s.enter(index)
	if err != nil {
		return nil, nil, err
	}
	defer dir.close()
	d := &s.plan.dirs[index]
	t := &tidier{sweep: s, dir: dir, path: d.path}
	if d.oid != "" && s.old.oid(&st) == d.oid {
		err = t.checkFiles(d.files)
	} else {
		err = t.checkAll(d, buffer)
	}
	if err == nil && s.records != nil && !t.touched {
		s.records.dirs[index] = newStamp(&st)
	}
	return d.subs, t.todo, err
}

// enter opens a directory and puts its mode right; that of the workspace itself is
// its owner's.
func (s *sweep) enter(index int32) (dir fd, st unix.Stat_t, err error) {
	name := s.plan.dirs[index].path
	dir, err = openDir(s.root, name)
	if errors.Is(err, unix.EACCES) {
		if err := s.root.chmod(name, s.perm); err != nil {
			return -1, st, fileError("change mode of", name, err)
		}
		dir, err = openDir(s.root, name)
	}
	if err != nil {
		return -1, st, err
	}
	err = retry(func() error { return unix.Fstat(int(dir), &st) })
	if err == nil && index > 0 && st.Mode&0o7777 != s.perm {
		if err = unix.Fchmod(int(dir), s.perm); err == nil {
			err = retry(func() error { return unix.Fstat(int(dir), &st) })
		}
	}
	if err != nil {
		dir.close()
		return -1, st, fileError("look at", name, err)
	}
	return dir, st, nil
}
