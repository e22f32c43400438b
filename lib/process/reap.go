package process

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Subreaper makes this process, instead of init, the parent of every orphan among its
// descendants from now on (prctl(2), PR_SET_CHILD_SUBREAPER). The process reaps them: some
// in each Group.Wait, all in EndDescendants, and after a while each one as it ends.
func Subreaper() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("cannot become a subreaper: %w", err)
	}
	reapLater()
	return nil
}

// reapLater reaps adopted children as they end. Some programs, such as podman for its
// monitor, wait until a process that they detached is gone, and a zombie is not gone. The
// delay saves the threads for SIGCHLD in processes that end earlier.
var reapLater = sync.OnceFunc(func() {
	time.AfterFunc(100*time.Millisecond, func() {
		ended := make(chan os.Signal, 1)
		signal.Notify(ended, unix.SIGCHLD)
		for {
			reapAdopted()
			<-ended
		}
	})
})

// reapAdopted reaps ended children until it finds one that other code waits for: a child
// that Start started, or exec.Cmd, which puts it in this process's group. So a command
// that leaves thousands of orphans does not fill the process table.
func reapAdopted() {
	group := unix.Getpgrp()
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		pid := childPid(&info)
		if err != nil || pid == 0 || !reap(pid, group) {
			return
		}
	}
}

// hasNoChildren reports whether this process has no children, not even ended ones. A subreaper
// then has no descendants either.
func hasNoChildren() bool {
	err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return errors.Is(err, unix.ECHILD)
}

// reap reaps the ended children of this process, self, that no other code waits for.
func (t table) reap(self, group int) {
	for _, p := range t {
		if p.zombie && p.parent == self {
			reap(p.pid, group)
		}
	}
}

// reap reaps the ended child pid and returns true, unless other code waits for the child.
func reap(pid, group int) bool {
	started.Lock()
	defer started.Unlock()
	if started.pids[pid] {
		return false
	}
	if g, err := unix.Getpgid(pid); err != nil || g == group {
		return false
	}
	_, err := unix.Wait4(pid, nil, unix.WNOHANG, nil)
	return err == nil
}

// childPid returns the field si_pid, which package unix does not export. It is the first
// field of a union that follows three ints and is aligned like a pointer (sigaction(2)).
func childPid(info *unix.Siginfo) int {
	const word = unsafe.Sizeof(uintptr(0))
	const offset = (3*unsafe.Sizeof(int32(0)) + word - 1) / word * word
	return int(*(*int32)(unsafe.Add(unsafe.Pointer(info), offset)))
}
