package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"quire/lib/owner"
	"quire/lib/text"
)

// The free space that a root must have.
const (
	leastSpace = 100 << 20 // bytes
	leastFiles = 1000
)

// root checks the root directory, and reports whether its contents can be checked, too.
func (x *exam) root() bool {
	info, err := os.Stat(x.Root)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		x.wrong(x.Root, "mkdir -p -m 700 "+text.QuoteLine(x.Root), "does not exist")
		return false
	case err != nil:
		x.wrong(x.Root, "# give this user access to it", "is not accessible: %v", text.Cause(err))
		return false
	case !info.IsDir():
		x.wrong(x.Root, "# move it away, or name another root", "is not a directory")
		return false
	}
	if uid := owner.Of(info); uid != os.Geteuid() {
		x.wrong(x.Root, "# chown -R "+text.QuoteLine(thisUser(), x.Root), "belongs to user '%s', but this is '%s'", owner.Name(uid), thisUser())
		return false
	}
	if info.Mode()&0o002 != 0 {
		x.wrong(x.Root, "chmod o-w "+text.QuoteLine(x.Root), "is writable by other users")
	}
	if x.ours(x.Root); x.findings[len(x.findings)-1].Wrong != "" {
		return false
	}
	x.parts()
	return true
}

// parts checks who owns the entries of the root: after one push as another user, the next
// push cannot write to them.
func (x *exam) parts() {
	for _, name := range append(slices.Clone(storeNames), "ended") {
		x.ours(filepath.Join(x.Root, name))
	}
	repos, _ := filepath.Glob(filepath.Join(globQuote(x.Root), "runs", "*"))
	for _, path := range repos {
		x.ours(path)
	}
	// Old temporary directories are not in use.
	tries, _ := filepath.Glob(filepath.Join(globQuote(x.Root), tryName+"*"))
	for _, path := range tries {
		if info, err := os.Lstat(path); err == nil && time.Since(info.ModTime()) > time.Hour {
			x.wrong(path, "rm -r "+text.QuoteLine(path), "is left over from a killed doctor")
		}
	}
}

// programs checks the programs in a directory of the root that are told of runs when they
// start or end. They run as this user.
func (x *exam) programs(name, when string) {
	dir := filepath.Join(x.Root, name)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		x.wrong(dir, "# let this user read it", "cannot be read: %v", text.Cause(err))
		return
	}
	paths := []string{dir}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && !e.IsDir() {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	for i, path := range paths {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			x.wrong(path, "rm "+text.QuoteLine(path), "is not run when runs %s: %v", when, text.Cause(err))
		case info.Mode()&0o002 != 0:
			x.wrong(path, "chmod o-w "+text.QuoteLine(path), "is run when runs %s, and is writable by other users", when)
		case i > 0 && executable(path) != nil:
			x.wrong(path, "chmod +x "+text.QuoteLine(path), "is not run when runs %s: it is not executable", when)
		default:
			x.ok(path)
		}
	}
}

// globQuote escapes the characters that are special to filepath.Match.
var globQuote = strings.NewReplacer("*", `\*`, "?", `\?`, "[", `\[`, `\`, `\\`).Replace

// space checks the free space.
func (x *exam) space() {
	var s unix.Statfs_t
	if err := unix.Statfs(x.Root, &s); err != nil {
		x.wrong(x.Root, "# check its file system", "its free space is unknown: %v", err)
		return
	}
	if wrong, repair := spaceProblem(s); wrong != "" {
		x.wrong(x.Root, repair, "%s", wrong)
		return
	}
	x.ok(x.Root + " (space)")
}

// spaceProblem returns why a file system is not suitable for a root, or "", and the repair.
func spaceProblem(s unix.Statfs_t) (wrong, repair string) {
	free := s.Bavail * uint64(s.Bsize)
	switch {
	case s.Flags&unix.ST_RDONLY != 0:
		return "is on a file system that is read-only", "# mount it writable"
	case s.Flags&unix.ST_NOEXEC != 0:
		return "is mounted noexec: jobs cannot run programs in their workspace", "# mount it without noexec"
	case free < leastSpace:
		return fmt.Sprintf("has only %d MiB free", free>>20), "# make room, such as with quire-runstate prune"
	case s.Files > 0 && s.Ffree < leastFiles: // file systems without a limit report 0
		return fmt.Sprintf("has room for only %d more files", s.Ffree), "# remove files, such as with quire-runstate prune"
	}
	return "", ""
}
