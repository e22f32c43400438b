// Package process starts commands so that all of what they start can be ended
// again, and ends it.
//
// Three ways out are closed. A command runs in a session of its own, so its
// background jobs are found by the session. A process that leaves the session
// (setsid, double fork) stays a descendant, because the process that calls
// Subreaper inherits every orphan below it. And the command dies with the
// process that started it, even by SIGKILL, through its parent-death signal;
// what that leaves is found by a variable in its environment.
//
// Linux only: sessions, subreapers, pidfds and /proc.
package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Group is a started command and the processes of its session. The command
// itself is called the leader.
type Group struct {
	cmd  *exec.Cmd
	pid  int
	done func() <-chan struct{} // what Done returns, made when it is first called

	mu     sync.Mutex // held while a signal is sent, and while the leader is reaped
	reaped bool
}

// A Status says how a command ended.
type Status struct {
	Code   int            // the exit status; 0 where a signal ended the command
	Signal syscall.Signal // the signal that ended the command; 0 where it exited
}

// ExitCode returns the status as a shell gives it in $?: the exit status, or 128
// and the number of the signal.
func (s Status) ExitCode() int {
	if s.Signal != 0 {
		return 128 + int(s.Signal)
	}
	return s.Code
}

// String returns "exit 3" or "signal 9 (killed)".
func (s Status) String() string {
	if s.Signal != 0 {
		return fmt.Sprintf("signal %d (%s)", int(s.Signal), s.Signal)
	}
	return fmt.Sprintf("exit %d", s.Code)
}

// Start starts cmd as the leader of a new session, and so of a process group of
// its own without a terminal, to be killed when this process dies. The
// command inherits the descriptors that cmd names and no other, also none that
// this process was itself handed unknowingly.
//
// If the file of the command exists, the error says why the kernel refused it, such as a
// script whose interpreter is missing.
//
// The kernel forgets the parent-death signal when the command is set-user-ID.
// Cancellation of the command's context, where it has one, kills the leader only.
func Start(cmd *exec.Cmd) (*Group, error) {
	attr := syscall.SysProcAttr{}
	if cmd.SysProcAttr != nil {
		attr = *cmd.SysProcAttr
	}
	attr.Setsid, attr.Setpgid, attr.Foreground = true, false, false
	attr.Pdeathsig = syscall.SIGKILL
	cmd.SysProcAttr = &attr
	if err := fork(cmd); err != nil {
		return nil, explain(cmd, err)
	}
	g := &Group{cmd: cmd, pid: cmd.Process.Pid}
	g.done = sync.OnceValue(func() <-chan struct{} {
		done := make(chan struct{})
		if g.await(unix.WNOHANG) {
			close(done)
			return done
		}
		go func() {
			defer close(done)
			g.await(0)
		}()
		return done
	})
	return g, nil
}

// await waits until the leader has exited, or with WNOHANG does not wait, and reports
// whether it has. WNOWAIT leaves it a zombie, which keeps its number from being given
// to a stranger until Wait.
func (g *Group) await(option int) bool {
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, g.pid, &info, unix.WEXITED|unix.WNOWAIT|option, nil)
		if !errors.Is(err, unix.EINTR) {
			return err != nil || childPid(&info) != 0 // an error is of a leader that was reaped
		}
	}
}

// StartCode returns what a shell exits with when Start failed with err: 127 for
// a command that was not found, 126 for one that cannot be run.
func StartCode(err error) int {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return 127
	}
	return 126
}

// Pid returns the process number of the leader, which is also that of its
// process group and session.
func (g *Group) Pid() int { return g.pid }

// Done returns a channel that is closed once the leader has exited, whether or
// not something it started still holds its output open. To take all of the
// output of a command and then its status, wait for Done, call End, call Wait.
// The channel costs a thread that waits, so ask for it only where it is needed,
// and before Wait.
func (g *Group) Done() <-chan struct{} { return g.done() }

// Wait waits until the leader has exited and its output, where cmd has a writer
// for it, is copied, and returns how the leader ended. A background process that
// keeps the output open keeps Wait waiting; see Done. The error is one of
// copying.
func (g *Group) Wait() (Status, error) {
	g.await(0)
	err := g.wait()
	reapAdopted()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil
	}
	if g.cmd.ProcessState == nil {
		return Status{}, fmt.Errorf("cannot wait for process %d: %w", g.pid, err)
	}
	ws, ok := g.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && ws.Signaled() {
		return Status{Signal: ws.Signal()}, err
	}
	return Status{Code: g.cmd.ProcessState.ExitCode()}, err
}

// wait reaps the leader. The lock is not held while output is copied, which can
// take until End has ended whoever holds it open; so the leader counts as reaped
// from before exec.Cmd reaps it.
func (g *Group) wait() error {
	g.mu.Lock()
	g.reaped = true
	g.mu.Unlock()
	defer forget(g.pid)
	return g.cmd.Wait()
}

// Signal sends sig to every process of the leader's process group. It is no error
// when there is none any more.
func (g *Group) Signal(sig syscall.Signal) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.reaped {
		return nil
	}
	if err := unix.Kill(-g.pid, sig); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("cannot signal process group %d: %w", g.pid, err)
	}
	return nil
}

// End ends every process of the session: SIGTERM and SIGCONT, then after grace
// SIGKILL. It returns when none is left, at once when there is none, and may be
// called before or after Wait. Processes that left the session are for
// EndDescendants. The error names processes that not even SIGKILL ended.
func (g *Group) End(grace time.Duration) error {
	return end(grace, func(t table) ([]proc, bool) {
		if _, exists := t[g.pid]; exists && g.isReaped() {
			// The number has a new owner. The kernel does not give it away
			// while a session bears it, so there is nobody left in ours.
			return nil, true
		}
		return t.filter(func(p proc) bool { return p.session == g.pid }), true
	})
}

func (g *Group) isReaped() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.reaped
}
