package runlog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"quire/lib/text"
)

// What a run leaves behind, in its directory.
const (
	EventsFile = "events.jsonl"
	JobsDir    = "jobs"

	// OutDir is where both are for a run behind a launcher. In the directory of the
	// run EventsFile and JobsDir are links then, for people: a process behind the
	// launcher wrote the files that they lead to.
	OutDir = "out"
)

// ErrNotRegular says that a directory, pipe or device is in the place of a file.
var ErrNotRegular = errors.New("not a regular file")

// Open opens a file that the jobs of a run have left in the run's directory dir. name
// is relative, with slashes. Whatever the jobs have put there, Open opens only a regular
// file, follows no symbolic link out of their reach, and waits for nothing.
func Open(dir, name string) (*os.File, error) {
	f, err := open(dir, name)
	if err != nil {
		return nil, fmt.Errorf("cannot read '%s': %w", filepath.Join(dir, name), text.Cause(err))
	}
	return f, nil
}

// behindLauncher reports whether the jobs of the run in dir were behind a launcher, so that
// their records are in OutDir.
func behindLauncher(dir string) bool {
	to, err := os.Readlink(filepath.Join(dir, EventsFile))
	return err == nil && to == filepath.Join(OutDir, EventsFile)
}

func open(dir, name string) (*os.File, error) {
	if behindLauncher(dir) {
		dir = filepath.Join(dir, OutDir)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	// To open a pipe or a device for reading can do things. O_PATH does not; it
	// finds, and the file that was found is then opened.
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
		return nil, ErrNotRegular
	}
	fd, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", found.Fd()), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), filepath.Join(dir, name)), nil
}
