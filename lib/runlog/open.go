package runlog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"quire/lib/text"
)

// Names in the directory of a run.
const (
	EventsFile = "events.jsonl"
	JobsDir    = "jobs"

	// OutDir contains EventsFile and JobsDir if the run has a launcher: a process behind
	// the launcher wrote them. In the directory of the run they are then links, for
	// people.
	OutDir = "out"
)

// errNotRegular says that a name is a directory, pipe or device instead of a file.
var errNotRegular = errors.New("not a regular file")

// Open opens a file that the jobs of a run have left in the run's directory dir. name
// is relative, with slashes. Because jobs may put anything there, Open opens only a regular
// file, follows no symbolic link out of the directory, and never blocks.
func Open(dir, name string) (*os.File, error) {
	f, err := open(dir, name)
	if err != nil {
		return nil, fmt.Errorf("cannot read '%s': %w", filepath.Join(dir, name), text.Cause(err))
	}
	return f, nil
}

// recordsDir returns the directory with the records of the run in dir: OutDir in it if the
// run has a launcher, otherwise dir itself.
func recordsDir(dir string) string {
	if to, err := os.Readlink(filepath.Join(dir, EventsFile)); err == nil && to == filepath.Join(OutDir, EventsFile) {
		return filepath.Join(dir, OutDir)
	}
	return dir
}

func open(dir, name string) (*os.File, error) {
	dir = recordsDir(dir)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	// Opening a pipe or a device can have effects. With O_PATH it has none. If the result
	// is a regular file, that same file is then opened for reading.
	found, err := root.OpenFile(filepath.FromSlash(name), unix.O_PATH, 0)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	info, err := found.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	fd, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", found.Fd()), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), filepath.Join(dir, name)), nil
}
