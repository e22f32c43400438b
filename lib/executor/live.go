package executor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"quire/lib/file"
	"quire/lib/process"
	"quire/lib/runlog"
	"quire/lib/text"
)

// A liveCommand is a command that still runs or has background processes, together with the
// pump that reads its output.
type liveCommand struct {
	*command
	group      *process.Group // nil if it could not be started
	log        *runlog.Log
	pump       *pump
	captures   [2]capture    // of standard output and standard error
	background chan struct{} // closed when the pump's own goroutine ends; nil without one
	stop       atomic.Bool   // makes that goroutine end
	finished   bool
}

// start starts c. to returns the sink of each stream, "stdout" and "stderr". If the command
// cannot be started, start sets its exit status and writes the reason to its standard
// error. The error is quire's own.
func (c *command) start(log *runlog.Log, to func(name string) sink) (*liveCommand, error) {
	r := &liveCommand{command: c, log: log}
	var err error
	if r.pump, err = newPump(); err != nil {
		return nil, err
	}
	var childEnds []*os.File // the command's ends of pipes
	defer func() {
		for _, f := range childEnds {
			f.Close()
		}
	}()
	for i, name := range []string{"stdout", "stderr"} {
		w, err := r.pump.add(to(name), &r.captures[i])
		if err != nil {
			r.pump.close()
			return nil, err
		}
		childEnds = append(childEnds, w)
	}
	in, err := c.input()
	if err != nil {
		r.pump.close()
		return nil, err
	}
	childEnds = append(childEnds, in)
	cmd := &exec.Cmd{Args: c.argv, Dir: c.dir, Env: c.env, Stdin: in, Stdout: childEnds[0], Stderr: childEnds[1]}
	if err := r.exec(cmd); err != nil {
		c.code = process.StartCode(err)
		c.refused = startError(err)
		fmt.Fprintf(childEnds[1], "quire: cannot run '%s': %s\n", c.argv[0], c.refused)
	} else {
		c.started = true
	}
	return r, nil
}

func (r *liveCommand) exec(cmd *exec.Cmd) (err error) {
	if cmd.Path, err = lookPath(r.argv[0], newEnviron(r.env)["PATH"], r.dir); err != nil {
		return err
	}
	r.group, err = r.cgroup.Start(cmd)
	return err
}

// startError returns why a command could not be started, without its name.
func startError(err error) string {
	if err = text.Cause(err); err == exec.ErrNotFound || err == unix.ENOENT {
		return "command not found"
	}
	return err.Error()
}

// input returns the standard input of the command, which is empty by default.
func (c *command) input() (*os.File, error) {
	if c.stdin == "" {
		return os.Open(os.DevNull)
	}
	return file.Nameless("stdin", []byte(c.stdin))
}

// wait returns when the command itself has ended. Its background processes continue. If ctx
// ends first, wait ends the command and its session.
func (r *liveCommand) wait(ctx context.Context, grace func() time.Duration) error {
	if r.group == nil {
		r.take()
		return nil
	}
	if r.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.timeout, errCommandTimeout)
		defer cancel()
	}
	pidfd, err := unix.PidfdOpen(r.group.Pid(), 0)
	if err != nil {
		return os.NewSyscallError("pidfd_open", err)
	}
	defer unix.Close(pidfd)
	if err := r.pump.watch(pidfd); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, r.pump.wake)
	exited := r.pump.run(pidfd)
	stop()
	if !exited {
		r.reason = endReason(context.Cause(ctx))
		if err := r.end(pidfd, grace()); err != nil {
			return err
		}
	}
	r.take()
	status, err := r.group.Wait()
	if err != nil {
		return err
	}
	r.code = status.ExitCode()
	if status.Signal != 0 {
		r.signal = strings.TrimPrefix(unix.SignalName(status.Signal), "SIG")
	}
	if !exited && context.Cause(ctx) == errCommandTimeout {
		r.code = exitTimeout
	}
	if exited && diedOfRequest(r.code) {
		select {
		case <-ctx.Done():
			r.reason = endReason(context.Cause(ctx))
		case <-time.After(signalWindow):
		}
	}
	return nil
}

// signalWindow is how long quire waits for a signal of its own before it reports that a
// signal ended a command. A batch system that ends a run signals all processes of the run,
// and may signal the command first.
var signalWindow = 100 * time.Millisecond

// diedOfRequest reports whether an exit status means that TERM, INT or HUP ended the
// command.
func diedOfRequest(code int) bool {
	return code == 128+int(unix.SIGTERM) || code == 128+int(unix.SIGINT) || code == 128+int(unix.SIGHUP)
}

// end ends the command and its session. It keeps reading their output, because a process
// that waits for a full pipe cannot exit.
func (r *liveCommand) end(pidfd int, grace time.Duration) error {
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = r.group.End(grace)
		r.pump.wake()
	}()
	if r.pump.run(pidfd) {
		r.pump.run(-1) // other processes of the session may still print
	}
	<-done
	return err
}

// take stores the captured output in the command.
func (r *liveCommand) take() {
	r.pump.drain()
	var outCut, errCut bool
	r.stdout, outCut = r.captures[0].take()
	r.stderr, errCut = r.captures[1].take()
	r.truncated = outCut || errCut
}

// leave is called once the command has ended. If no process and no output is left, it
// finishes the command. Otherwise a goroutine continues to read the output.
func (r *liveCommand) leave() error {
	if !r.pump.open() && !r.left() {
		return r.finish(0)
	}
	r.background = make(chan struct{})
	go func() {
		defer close(r.background)
		for r.pump.open() && !r.stop.Load() { // a late wake of wait may end run early
			r.pump.run(-1)
		}
	}()
	return nil
}

// left reports whether processes of the command's process group still exist.
func (r *liveCommand) left() bool {
	return r.group != nil && unix.Kill(-r.group.Pid(), 0) == nil
}

// finish ends the processes that the command left behind, and closes its log.
func (r *liveCommand) finish(grace time.Duration) error {
	if r.finished {
		return nil
	}
	r.finished = true
	var err error
	if r.left() {
		err = r.group.End(grace)
	}
	if r.background != nil {
		r.stop.Store(true)
		r.pump.wake()
		<-r.background
	}
	r.pump.close()
	return errors.Join(err, r.log.Close())
}
