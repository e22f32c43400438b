package process

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// The kernel sends the parent-death signal when the thread that forked exits,
// not when the process does (prctl(2), PR_SET_PDEATHSIG). The Go runtime moves
// goroutines between threads and ends some of them, so every fork is made by one
// goroutine that owns its thread and never returns.
var forker = sync.OnceValue(func() chan<- request {
	requests := make(chan request)
	go func() {
		runtime.LockOSThread()
		for r := range requests {
			r.answer <- r.do()
		}
	}()
	return requests
})

type request struct {
	do     func() error
	answer chan error
}

// onForker calls do on the forking thread.
func onForker(do func() error) error {
	r := request{do, make(chan error, 1)}
	forker() <- r
	return <-r.answer
}

// fork starts cmd from the forking thread.
func fork(cmd *exec.Cmd) error {
	closeOnExec()
	stopIgnoring()
	SetUmask()
	return onForker(func() error { return startTracked(cmd) })
}

// stopIgnoring makes commands start with the default action for HUP and INT: otherwise a job
// whose tests interrupt a program would wait forever. After a push both are ignored here, by
// a trap and by '&' of a shell, and ignored signals stay ignored across execve(2). Caught
// signals are reset (signal(7)), so this process catches them and drops them. The runtime
// itself catches the other signals that a shell can ignore.
func stopIgnoring() {
	for _, s := range []os.Signal{unix.SIGHUP, unix.SIGINT} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
}

// ForgetKeys gives all processes that are started from now on an empty session keyring
// (session-keyring(7)) instead of this process's. Processes take their keys with them, even
// into namespaces, and no launcher prevents that. If the kernel has no keyrings, or refuses
// them to this process, its children have none either, and that is no error.
func ForgetKeys() error {
	return onForker(func() error {
		// Package unix can only join a keyring with a name, which others could join, too.
		_, _, errno := unix.Syscall(unix.SYS_KEYCTL, unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0)
		if errno == 0 || errno == unix.ENOSYS || errno == unix.EPERM {
			return nil
		}
		return fmt.Errorf("cannot make session keyring: %w", errno)
	})
}

// started holds the numbers of the leaders that Wait has not reaped yet, so that only Wait
// reaps them. The lock is held during each fork, so that a child that exits at once is
// never taken for an adopted one.
var started = struct {
	sync.Mutex
	pids map[int]bool
}{pids: map[int]bool{}}

func startTracked(cmd *exec.Cmd) error {
	started.Lock()
	defer started.Unlock()
	if err := cmd.Start(); err != nil {
		return err
	}
	started.pids[cmd.Process.Pid] = true
	return nil
}

func forget(pid int) {
	started.Lock()
	defer started.Unlock()
	delete(started.pids, pid)
}

// closeOnExec makes every descriptor above standard error close in children. Go does so for
// those that it opens, but a hook may have inherited others, and a job that keeps a pipe to
// the pusher open would keep the push waiting. On kernels before 5.11 it does nothing.
var closeOnExec = sync.OnceFunc(func() {
	_ = unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
})
