package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"quire/lib/file"
	"quire/lib/text"
)

// A Cgroup is a control group of version 2 (cgroups(7)). A process that is started in it
// stays in it, with all processes that it starts, whatever their sessions and environments.
// Only a process that may write to another group can leave.
//
// A nil Cgroup is usable: it starts commands in this process's own group.
type Cgroup struct {
	dir      *os.File
	unusable func()
	broken   atomic.Bool // commands cannot be started in it
}

// OwnCgroup returns the directory of this process's control group, in a cgroup2 mount that
// contains it.
func OwnCgroup() (string, error) {
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	return findCgroup(string(groups), string(mounts))
}

// findCgroup returns the directory of the group in groups, the text of /proc/PID/cgroup,
// in one of mounts, the text of /proc/PID/mountinfo (proc_pid_mountinfo(5)).
func findCgroup(groups, mounts string) (string, error) {
	group, found := "", false
	for line := range strings.Lines(groups) {
		if name, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); ok {
			group, found = name, true
		}
	}
	if !found {
		return "", errors.New("the kernel has no control groups of version 2")
	}
	for line := range strings.Lines(mounts) {
		front, back, _ := strings.Cut(line, " - ")
		f := strings.Fields(front)
		if len(f) < 5 || !strings.HasPrefix(back, "cgroup2 ") {
			continue
		}
		const root, point = 3, 4
		below, ok := strings.CutPrefix(group, strings.TrimSuffix(file.UnescapeMount(f[root]), "/"))
		above := strings.HasPrefix(group, "/..") // the root of a cgroup namespace
		if ok && !above && (below == "" || below[0] == '/') {
			return filepath.Join(file.UnescapeMount(f[point]), below), nil
		}
	}
	return "", fmt.Errorf("no mount of cgroup2 shows control group '%s'", group)
}

// NewCgroup makes the control group dir, whose parent is this process's own. Only an attempt
// shows whether the kernel starts commands in it. If it refuses, the group is removed,
// unusable is called, and the commands are started outside.
func NewCgroup(dir string, unusable func()) (*Cgroup, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make control group '%s': %w", dir, text.Cause(err))
	}
	f, err := os.Open(dir)
	if err == nil {
		// The file exists since Linux 5.14.
		err = unix.Faccessat(int(f.Fd()), "cgroup.kill", unix.W_OK, 0)
	}
	if err != nil {
		f.Close()
		_ = unix.Rmdir(dir)
		return nil, fmt.Errorf("cannot use control group '%s': %w", dir, text.Cause(err))
	}
	return &Cgroup{dir: f, unusable: unusable}, nil
}

// Start is like the function Start, but starts cmd in the group.
func (c *Cgroup) Start(cmd *exec.Cmd) (*Group, error) {
	if c == nil || c.broken.Load() {
		return Start(cmd)
	}
	attr := unix.SysProcAttr{}
	if cmd.SysProcAttr != nil {
		attr = *cmd.SysProcAttr
	}
	attr.UseCgroupFD, attr.CgroupFD = true, int(c.dir.Fd())
	inside := &exec.Cmd{
		Path: cmd.Path, Args: cmd.Args, Env: cmd.Env, Dir: cmd.Dir, Err: cmd.Err,
		Stdin: cmd.Stdin, Stdout: cmd.Stdout, Stderr: cmd.Stderr, ExtraFiles: cmd.ExtraFiles, SysProcAttr: &attr,
	}
	g, err := Start(inside)
	if err == nil || !refused(err) {
		return g, err
	}
	if g, err = Start(cmd); err == nil && !c.broken.Swap(true) {
		_ = unix.Rmdir(c.dir.Name())
		c.unusable()
	}
	return g, err
}

// refused reports whether the control group may be the reason why a command did not start:
// clone3(2) is unknown or forbidden, or the group accepts no processes.
func refused(err error) bool {
	var errno unix.Errno
	return errors.As(err, &errno) &&
		slices.Contains([]unix.Errno{unix.ENOSYS, unix.EPERM, unix.EACCES, unix.EOPNOTSUPP, unix.EBUSY, unix.EINVAL}, errno)
}

// Close closes the group. Its processes stay; EndCgroup ends them.
func (c *Cgroup) Close() {
	if c != nil {
		c.dir.Close()
	}
}

// EndCgroup kills every process in the control group dir and in the groups below it, and
// removes the groups. A group that does not exist is no error.
func EndCgroup(dir string) error {
	err := endCgroup(dir)
	if err != nil {
		return fmt.Errorf("cannot end control group '%s': %w", dir, text.Cause(err))
	}
	return nil
}

func endCgroup(dir string) error {
	err := unix.Rmdir(dir) // usually it is empty
	if err == nil || errors.Is(err, unix.ENOENT) {
		return nil
	}
	var fs unix.Statfs_t
	switch err2 := unix.Statfs(dir, &fs); {
	case err2 != nil:
		return err2
	case fs.Type != unix.CGROUP2_SUPER_MAGIC:
		return errors.New("not a control group")
	case !errors.Is(err, unix.EBUSY):
		return err
	}
	for giveUp := time.Now().Add(unkillable); ; {
		if err := os.WriteFile(filepath.Join(dir, "cgroup.kill"), []byte("1"), 0); err != nil {
			return err
		}
		if err := awaitEmpty(dir, giveUp); err != nil {
			return err
		}
		err := removeCgroups(dir)
		if !errors.Is(err, unix.EBUSY) || time.Now().After(giveUp) {
			return err
		}
	}
}

// awaitEmpty returns when no process is left in the group dir and the groups below it.
func awaitEmpty(dir string, giveUp time.Time) error {
	f, err := os.Open(filepath.Join(dir, "cgroup.events"))
	if err != nil {
		return err
	}
	defer f.Close()
	for {
		var events [256]byte
		n, err := f.ReadAt(events[:], 0)
		if n == 0 {
			return err
		}
		if bytes.Contains(events[:n], []byte("populated 0")) {
			return nil
		}
		left := time.Until(giveUp)
		if left <= 0 {
			return errors.New("its processes ignore SIGKILL")
		}
		fds := []unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLPRI}}
		if _, err := unix.Poll(fds, int(left.Milliseconds())+1); err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// removeCgroups removes the group dir and the groups that jobs made below it. The kernel
// removes the files in a group with the group.
func removeCgroups(dir string) error {
	err := unix.Rmdir(dir)
	if err == nil || errors.Is(err, unix.ENOENT) {
		return nil
	}
	entries, err2 := os.ReadDir(dir)
	if err2 != nil {
		return err2
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := removeCgroups(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return unix.Rmdir(dir)
}
