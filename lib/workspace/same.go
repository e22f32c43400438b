package workspace

import (
	"encoding/hex"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"quire/lib/git"
)

// isSame reports whether what st is of is f: by the record where that knows it, else
// by its contents.
func (s *sweep) isSame(dir fd, f *file, st *unix.Stat_t) bool {
	if f.mode == git.ModeLink {
		if st.Mode&unix.S_IFMT != unix.S_IFLNK || st.Size > maxPath {
			return false
		}
		text := make([]byte, maxPath+1)
		n, err := unix.Readlinkat(int(dir), f.name, text)
		if err != nil {
			return false
		}
		return git.ObjectID(f.oid, "blob", text[:n]) == f.oid
	}
	if !s.isOurs(f, st) {
		return false
	}
	if oid := s.old.oid(st); oid != "" {
		return oid == f.oid
	}
	return hasContents(dir, f, st.Size)
}

// isOurs reports whether what st is of is a regular file with the mode of f that
// nobody else has: through another name of it somebody may change it yet, and so may
// another owner.
func (s *sweep) isOurs(f *file, st *unix.Stat_t) bool {
	perm := s.perm & 0o666
	if f.mode == git.ModeExecutable {
		perm = s.perm & 0o777
	}
	return st.Mode == unix.S_IFREG|perm && st.Nlink == 1 && int(st.Uid) == s.uid
}

// hasContents reports whether the regular file has f's contents.
func hasContents(dir fd, f *file, size int64) bool {
	var n int
	err := retry(func() (err error) {
		n, err = unix.Openat(int(dir), f.name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return false
	}
	contents := os.NewFile(uintptr(n), f.name)
	defer contents.Close()
	h := git.ObjectHash(f.oid, "blob", size)
	copied, err := io.Copy(h, contents)
	return err == nil && copied == size && hex.EncodeToString(h.Sum(nil)) == f.oid
}
