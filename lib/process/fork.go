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

// onForker does something on the forking thread.
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

// stopIgnoring has commands begin with HUP and INT as at a terminal: else a job whose
// tests interrupt a program would wait for that forever. Behind a push both are ignored
// here, by a trap and by '&' of a shell, and what is ignored stays so across execve(2).
// What is caught does not (signal(7)), and nobody listens to what is caught. Of other
// signals the runtime catches itself what a shell can have ignored.
func stopIgnoring() {
	for _, s := range []os.Signal{unix.SIGHUP, unix.SIGINT} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
}

// ForgetKeys gives whatever is started from now on an empty session keyring
// (session-keyring(7)) in place of this process's. Keys go wherever a process goes,
// also into namespaces, and nothing that is put in front of a command holds them back.
// Where the kernel knows no keyrings, or has them refused to this process, its children
// have none to look into either.
func ForgetKeys() error {
	return onForker(func() error {
		// Package unix can only join one by name, which others could join as well.
		_, _, errno := unix.Syscall(unix.SYS_KEYCTL, unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0)
		if errno == 0 || errno == unix.ENOSYS || errno == unix.EPERM {
			return nil
		}
		return fmt.Errorf("cannot make session keyring: %w", errno)
	})
}

// started holds the numbers of the leaders that Wait has still to reap, so that
// nothing else reaps them. The lock is held over each fork: a child that exits at
// once is never taken for an adopted one.
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

// closeOnExec marks every descriptor above standard error to be closed in
// children. Go does so for those it opens; a hook may have been handed others,
// and a pipe to the pusher that a job holds open would hold the push. Kernels
// before 5.11 do not know the call, which then changes nothing.
var closeOnExec = sync.OnceFunc(func() {
	_ = unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
})
