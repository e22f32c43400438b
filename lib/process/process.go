// Package process starts commands so that they can be ended with all processes that they
// start, and ends them.
//
// Three ways of escape are closed. A command runs in its own session, so its background
// jobs are found by the session. A process that leaves the session (setsid, double fork)
// stays a descendant, because the process that calls Subreaper becomes the parent of every
// orphan below it. And the command dies with the process that started it, even if that is
// killed, through its parent-death signal; the processes that survive this are found by a
// variable in their environment.
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
	done func() <-chan struct{} // result of Done, made by its first call

	mu     sync.Mutex // held while a signal is sent, and while the leader is reaped
	reaped bool
}

// A Status says how a command ended.
type Status struct {
	Code   int            // the exit status; 0 if a signal ended the command
	Signal syscall.Signal // the signal that ended the command; 0 if it exited
}

// ExitCode returns the value of $? in a shell: the exit status, or 128 plus the number of
// the signal.
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

// Start starts cmd as the leader of a new session, and so of a new process group, without a
// terminal. The kernel kills the command if this process dies. The command inherits only
// the descriptors that cmd names, not others that this process itself inherited.
//
// If the file of the command exists, the error says why the kernel refused it, such as a
// script whose interpreter is missing.
//
// If the command is set-user-ID, the kernel drops the parent-death signal. If the command
// has a context, its cancellation kills only the leader.
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
// whether it has exited. WNOWAIT keeps it a zombie, so that no other process gets its number
// before Wait.
func (g *Group) await(option int) bool {
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, g.pid, &info, unix.WEXITED|unix.WNOWAIT|option, nil)
		if !errors.Is(err, unix.EINTR) {
			return err != nil || childPid(&info) != 0 // an error means that the leader was reaped
		}
	}
}

// StartCode returns the exit status of a shell for an error of Start: 127 if the command was
// not found, 126 if it cannot be run.
func StartCode(err error) int {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return 127
	}
	return 126
}

// Pid returns the process number of the leader, which is also the number of its process
// group and session.
func (g *Group) Pid() int { return g.pid }

// Done returns a channel that is closed when the leader has exited, even if a process that
// it started still keeps its output open. To get all output of a command and then its
// status, wait for Done, call End, then Wait. The channel occupies a thread, so call Done
// only if needed, and before Wait.
func (g *Group) Done() <-chan struct{} { return g.done() }

// Wait waits until the leader has exited and, if cmd has writers for its output, until the
// output is copied. It returns how the leader ended. While a background process keeps the
// output open, Wait does not return; see Done. An error comes from copying.
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

// wait reaps the leader. The lock is not held while output is copied, which may take until
// End has ended the processes that keep it open. So the leader counts as reaped before
// exec.Cmd reaps it.
func (g *Group) wait() error {
	g.mu.Lock()
	g.reaped = true
	g.mu.Unlock()
	defer forget(g.pid)
	return g.cmd.Wait()
}

// Signal sends sig to every process of the leader's process group. It is no error if none
// is left.
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

// End ends every process of the session: by SIGTERM and SIGCONT, then after grace by
// SIGKILL. It returns when none is left, and may be called before or after Wait. It does not
// end processes that left the session; EndDescendants does. The error names processes that
// not even SIGKILL ended.
func (g *Group) End(grace time.Duration) error {
	return end(grace, func(t table) ([]proc, bool) {
		if _, exists := t[g.pid]; exists && g.isReaped() {
			// Another process has the number. The kernel does not reuse the number
			// of a session while the session exists, so ours is empty.
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
