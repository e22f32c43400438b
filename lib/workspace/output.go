package workspace

import (
	"io"
	"sync"

	"golang.org/x/sys/unix"

	"quire/lib/git"
)

// output is where a worker writes: it keeps the directory of the last file open.
type output struct {
	root   fd
	dirs   *dirMaker
	dir    fd
	index  int32 // of dir in the plan; -1 for none
	buffer []byte
	stat   bool // whether put is to return a stat
}

func (o *output) enter(p *plan, index int32) error {
	if o.index == index {
		return nil
	}
	o.leave()
	if err := o.dirs.make(index); err != nil {
		return err
	}
	dir, err := openDir(o.root, p.dirs[index].path)
	if err != nil {
		return err
	}
	o.dir, o.index = dir, index
	return nil
}

func (o *output) leave() {
	if o.index >= 0 {
		o.dir.close()
		o.index = -1
	}
}

// put writes one file or link, over the one that is there if over is set, and
// returns the stat of a file if that is wanted.
func (o *output) put(p *plan, f *file, size int64, body io.Reader, over bool) (stat unix.Stat_t, err error) {
	if err := o.enter(p, f.dir); err != nil {
		return stat, err
	}
	if f.mode == git.ModeLink {
		return stat, o.link(f, size, body)
	}
	n := -1
	if over {
		n, err = o.reopen(f.name, &stat)
	}
	if err == nil && n < 0 {
		n, err = o.create(f)
	}
	if err != nil {
		return stat, err
	}
	err = o.copy(n, size, body)
	if err == nil && stat.Size > size {
		err = retry(func() error { return unix.Ftruncate(n, size) })
	}
	if err == nil && o.stat {
		err = unix.Fstat(n, &stat)
	}
	// Some file systems tell only now that the disk is full.
	if closeErr := unix.Close(n); err == nil && closeErr != unix.EINTR {
		err = closeErr
	}
	return stat, err
}

// create makes the file, which must not be there.
func (o *output) create(f *file) (n int, err error) {
	perm := uint32(0o666)
	if f.mode == git.ModeExecutable {
		perm = 0o777
	}
	const flags = unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL | unix.O_NOFOLLOW | unix.O_CLOEXEC
	err = retry(func() (err error) {
		n, err = unix.Openat(int(o.dir), f.name, flags, perm)
		return err
	})
	return n, err
}

// reopen opens a file to be written over, as it is: where one is cut to nothing first,
// ext4 writes the new contents to the disk at once, see auto_da_alloc in ext4(5). If
// it cannot, since the file is being executed, say, it removes it and returns -1.
func (o *output) reopen(name string, stat *unix.Stat_t) (n int, err error) {
	const flags = unix.O_WRONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC
	err = retry(func() (err error) {
		n, err = unix.Openat(int(o.dir), name, flags, 0)
		return err
	})
	if err == nil {
		err = unix.Fstat(n, stat)
		if err == nil && stat.Mode&unix.S_IFMT == unix.S_IFREG && stat.Nlink == 1 {
			return n, nil
		}
		unix.Close(n)
	}
	*stat = unix.Stat_t{}
	return -1, o.dir.removeAll(name)
}

// copy writes size bytes of body to the open file n.
func (o *output) copy(n int, size int64, body io.Reader) error {
	for size > 0 {
		part := o.buffer[:min(size, int64(len(o.buffer)))]
		if _, err := io.ReadFull(body, part); err != nil {
			return err
		}
		size -= int64(len(part))
		for len(part) > 0 {
			written, err := unix.Write(n, part)
			if err == unix.EINTR {
				continue
			}
			if err != nil {
				return err
			}
			part = part[written:]
		}
	}
	return nil
}

// link makes a symbolic link, whatever it points at: it is never followed.
func (o *output) link(f *file, size int64, body io.Reader) error {
	if size > maxPath {
		return unix.ENAMETOOLONG
	}
	text := make([]byte, size)
	if _, err := io.ReadFull(body, text); err != nil {
		return err
	}
	return retry(func() error { return unix.Symlinkat(string(text), int(o.dir), f.name) })
}

// A dirMaker makes directories of a plan when the first file in one is written, so
// that the workers share this work, too: it is a tenth of all.
type dirMaker struct {
	root fd
	dirs []dir
	made []madeDir
}

type madeDir struct {
	once sync.Once
	err  error
}

func newDirMaker(root fd, p *plan) *dirMaker {
	return &dirMaker{root: root, dirs: p.dirs, made: make([]madeDir, len(p.dirs))}
}

// make makes the directory, and those above it, unless that was done before. A nil
// dirMaker takes all for made.
func (m *dirMaker) make(index int32) error {
	if m == nil || index == 0 {
		return nil
	}
	made := &m.made[index]
	made.once.Do(func() {
		d := m.dirs[index]
		if made.err = m.make(d.parent); made.err != nil {
			return
		}
		if err := retry(func() error { return unix.Mkdirat(int(m.root), d.path, 0o777) }); err != nil {
			made.err = fileError("make directory", d.path, err)
		}
	})
	return made.err
}

// makeAll makes those that have no files.
func (m *dirMaker) makeAll() error {
	for i := range m.dirs {
		if err := m.make(int32(i)); err != nil {
			return err
		}
	}
	return nil
}
