package process

import (
	"math"
	"os/exec"
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
			r.answer <- startTracked(r.cmd)
		}
	}()
	return requests
})

type request struct {
	cmd    *exec.Cmd
	answer chan error
}

// fork starts cmd from the forking thread.
func fork(cmd *exec.Cmd) error {
	closeOnExec()
	r := request{cmd, make(chan error, 1)}
	forker() <- r
	return <-r.answer
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
