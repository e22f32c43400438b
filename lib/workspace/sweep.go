package workspace

import (
	"bytes"
	"errors"
	"fmt"
	"path"

	"golang.org/x/sys/unix"

	"quire/lib/file"
)

// traits decide who can use a directory, and which attributes new files in it get.
type traits struct {
	Mode, UID, GID uint32
	Flags          uint32 // see ioctl_iflags(2)
	Attributes     string // extended attributes with their values, including access lists
}

// File systems set ownFlags themselves: FS_INDEX_FL (many entries), FS_EXTENT_FL and
// FS_INLINE_DATA_FL.
const ownFlags = 0x00001000 | 0x00080000 | 0x10000000

// traitsOf returns the traits of an open directory.
func traitsOf(fd int) (t traits, st unix.Stat_t, err error) {
	if err := file.Retry(func() error { return unix.Fstat(fd, &st) }); err != nil {
		return t, st, err
	}
	t = traits{Mode: st.Mode & 0o7777, UID: st.Uid, GID: st.Gid}
	if flags, err := unix.IoctlGetUint32(fd, unix.FS_IOC_GETFLAGS); err == nil {
		t.Flags = flags &^ ownFlags
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

// A sweep removes the files of a workspace that Git might mistake for the files in the
// index, and gives directories the traits of fresh ones.
//
// It compares ctimes. Any change of a file or directory sets its ctime, which no program can
// set to another value. So everything that is older than the index is as Git wrote it.
type sweep struct {
	fresh   traits
	since   int64           // when the index was complete
	tracked map[string]bool // if not nil, the files in the index and all directories: the sweep keeps other files
	remove  map[string]bool // more files to remove
	changed bool            // a directory changed, so it may contain files that are not in the index
	buffer  []byte          // for the names in a directory
}

// root sweeps the workspace at tree. late says that tree itself changed. On an error the
// workspace cannot be reused.
func (s *sweep) root(tree string, late bool) error {
	mounts, err := file.MountsBelow(tree)
	if err != nil || len(mounts) > 0 {
		return fmt.Errorf("there may be mounts in it: %q %w", mounts, errors.Join(err))
	}
	d, err := file.OpenFile(tree, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer d.Close()
	fd := int(d.Fd())
	if late {
		t, _, err := traitsOf(fd)
		t.Mode = s.fresh.Mode // the user chooses its mode
		if err != nil || t != s.fresh {
			return errors.New("its attributes differ from a fresh directory's")
		}
	}
	s.changed, s.buffer = late, make([]byte, 32<<10)
	return s.entries(fd, "", false)
}

// entries sweeps the entries of the open directory at. moved says that a directory above
// them changed, so they may have been moved there although they are old.
func (s *sweep) entries(at int, dir string, moved bool) error {
	var names []string
	for {
		var n int
		err := file.Retry(func() (err error) { n, err = unix.ReadDirent(at, s.buffer); return err })
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		_, _, names = unix.ParseDirent(s.buffer[:n], -1, names)
	}
	for _, name := range names {
		var st unix.Stat_t
		if err := file.Retry(func() error { return unix.Fstatat(at, name, &st, unix.AT_SYMLINK_NOFOLLOW) }); err != nil {
			return err
		}
		isDir := st.Mode&unix.S_IFMT == unix.S_IFDIR
		late := st.Ctim.Nano() >= s.since
		var full string
		if isDir || late || s.tracked != nil || len(s.remove) > 0 {
			full = path.Join(dir, name)
		}
		tracked := s.tracked == nil || s.tracked[full]
		remove := false
		switch {
		case name == ".git": // Git would ignore everything in it
			remove = true
		case !tracked: // Git would read these
			remove = name == ".gitignore" || name == attributeFile
		case isDir:
			s.changed = s.changed || late
			var err error
			if remove, err = s.directory(at, name, full, moved || late); err != nil {
				return err
			}
		default:
			remove = late || st.Nlink != 1 || st.Uid != s.fresh.UID || s.remove[full]
		}
		if !remove {
			continue
		}
		if err := file.RemoveAt(at, name, full); err != nil {
			return err
		}
	}
	return nil
}

// directory sweeps the directory name in the open directory at, or reports that it must be
// removed.
func (s *sweep) directory(at int, name, full string, moved bool) (remove bool, err error) {
	fd, err := file.OpenAt(at, name, unix.O_RDONLY|unix.O_DIRECTORY)
	if err == unix.EACCES {
		if err = file.ChmodAt(at, name, s.fresh.Mode|0o700); err == nil {
			fd, err = file.OpenAt(at, name, unix.O_RDONLY|unix.O_DIRECTORY)
		}
	}
	if err != nil {
		return false, err
	}
	defer unix.Close(fd)
	if moved {
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
	return false, s.entries(fd, full, moved)
}
