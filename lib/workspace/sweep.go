package workspace

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"

	"golang.org/x/sys/unix"

	"quire/lib/file"
)

// traits are what decides who can use a directory, and what files in it are made like.
type traits struct {
	Mode, UID, GID uint32
	Flags          uint32 // see ioctl_iflags(2)
	Attributes     string // extended attributes with their values; access lists are some
}

// traitsOf returns the traits of an open directory.
func traitsOf(fd int) (t traits, st unix.Stat_t, err error) {
	if err := retry(func() error { return unix.Fstat(fd, &st) }); err != nil {
		return t, st, err
	}
	t = traits{Mode: st.Mode & 0o7777, UID: st.Uid, GID: st.Gid}
	if flags, err := unix.IoctlGetUint32(fd, unix.FS_IOC_GETFLAGS); err == nil {
		t.Flags = flags &^ (topDir | ownFlags)
	}
	n, err := unix.Flistxattr(fd, nil)
	if errors.Is(err, unix.ENOTSUP) || err == nil && n == 0 {
		return t, st, nil
	}
	names := make([]byte, n)
	if err == nil {
		n, err = unix.Flistxattr(fd, names)
	}
	if err != nil {
		return t, st, err
	}
	for name := range bytes.SplitSeq(names[:n], []byte{0}) {
		value := make([]byte, 64<<10) // XATTR_SIZE_MAX
		n, err := unix.Fgetxattr(fd, string(name), value)
		t.Attributes += fmt.Sprintf("%q=%q %v\n", name, value[:max(n, 0)], err)
	}
	return t, st, nil
}

// ownFlags are those that file systems set by themselves: FS_INDEX_FL (many entries),
// FS_EXTENT_FL and FS_INLINE_DATA_FL.
const ownFlags = 0x00001000 | 0x00080000 | 0x10000000

// A sweep removes from a workspace what Git does not notice: files whose contents it
// would take for those of the index, modes, other names of files, access lists.
type sweep struct {
	fresh   traits
	since   int64           // when the index was complete
	tracked map[string]bool // if not nil, the files in the index and all directories: nothing else is touched
	remove  map[string]bool // other files to remove
}

// root sweeps the workspace at tree. On an error it cannot be reused.
func (s *sweep) root(tree string) error {
	mounts, err := file.MountsBelow(tree)
	if err != nil || len(mounts) > 0 {
		return fmt.Errorf("there may be mounts in it: %q %w", mounts, errors.Join(err))
	}
	d, err := file.OpenFile(tree, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer d.Close()
	t, _, err := traitsOf(int(d.Fd()))
	t.Mode = s.fresh.Mode // which the owner may choose
	if err != nil || t != s.fresh {
		return errors.New("it has attributes that a fresh one has not")
	}
	return s.entries(d, "", false)
}

// entries sweeps the entries of the directory d. changed says that a directory above
// it, or d, changed since the index was complete.
func (s *sweep) entries(d *os.File, dir string, changed bool) error {
	names, err := d.Readdirnames(-1)
	if err != nil {
		return err
	}
	at := int(d.Fd())
	for _, name := range names {
		full := path.Join(dir, name)
		var st unix.Stat_t
		if err := retry(func() error { return unix.Fstatat(at, name, &st, unix.AT_SYMLINK_NOFOLLOW) }); err != nil {
			return err
		}
		late := st.Ctim.Nano() >= s.since
		tracked := s.tracked == nil || s.tracked[full]
		rulesFile := s.tracked != nil && !tracked && (name == ".gitignore" || name == attributeFile)
		remove := false
		switch {
		case name == ".git" || rulesFile:
			remove = true // Git does not look into the first, and obeys the others
		case !tracked:
		case st.Mode&unix.S_IFMT == unix.S_IFDIR:
			if remove, err = s.directory(d, name, full, changed || late); err != nil {
				return err
			}
		default:
			remove = late || st.Nlink != 1 || st.Uid != s.fresh.UID || s.remove[full]
		}
		if !remove {
			continue
		}
		if err := file.RemoveAt(d, name, full); err != nil {
			return err
		}
	}
	return nil
}

// directory sweeps a directory in d, or says to remove it.
func (s *sweep) directory(d *os.File, name, full string, changed bool) (remove bool, err error) {
	fd, err := file.OpenAt(int(d.Fd()), name, unix.O_RDONLY|unix.O_DIRECTORY)
	if err == unix.EACCES {
		if err = file.ChmodAt(int(d.Fd()), name, s.fresh.Mode|0o700); err == nil {
			fd, err = file.OpenAt(int(d.Fd()), name, unix.O_RDONLY|unix.O_DIRECTORY)
		}
	}
	if err != nil {
		return false, err
	}
	sub := os.NewFile(uintptr(fd), full)
	defer sub.Close()
	if changed {
		t, st, err := traitsOf(fd)
		if err != nil {
			return false, err
		}
		t.Mode = s.fresh.Mode
		if t != s.fresh {
			return true, nil
		}
		if st.Mode&0o7777 != s.fresh.Mode {
			if err := unix.Fchmod(fd, s.fresh.Mode); err != nil {
				return false, err
			}
		}
	}
	return false, s.entries(sub, full, changed)
}

// retry calls f again as long as a signal interrupts it.
func retry(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}
