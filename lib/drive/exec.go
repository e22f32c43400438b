package drive

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"quire/lib/file"
	"quire/lib/process"
	"quire/lib/runstore"
	"quire/lib/text"
)

// An Exec is a command that drives a run.
type Exec struct {
	Command []string
	Env     []string                             // for the command; the run's facts are added
	Limits  runstore.Limits                      // on runs at once
	Timeout time.Duration                        // of the run, from when it is active; 0: none
	Grace   time.Duration                        // between SIGTERM and SIGKILL
	Keep    func(runstore.State) bool            // whether to keep the workspace; nil: no
	Signal  func(context.Context) syscall.Signal // which signal ended the context; nil: SIGTERM
}

// Exec drives the run with a command: makes it active when its turn comes, runs
// the command, ends whatever processes the command left, and ends the run by the
// command's status. It returns that status, and the state the run is in then,
// which may have been decided by somebody else meanwhile. The command is ended
// early when ctx ends, at the timeout, and when somebody else ends the run.
//
// This process becomes a subreaper, and must have no other children.
func (x Exec) Run(ctx context.Context, r *runstore.Run) (process.Status, runstore.Status, error) {
	driver, err := r.Drive()
	if err != nil {
		return process.Status{}, runstore.Status{}, err
	}
	defer driver.Unlock()
	if err := process.Subreaper(); err != nil {
		return process.Status{}, runstore.Status{}, err
	}
	log, err := file.OpenFile(filepath.Join(r.Dir, runstore.LogFile), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return process.Status{}, runstore.Status{}, fmt.Errorf("cannot write log of run %s: %w", r.ID, text.Cause(err))
	}
	defer log.Close()
	watched, stop := driver.Context(ctx)
	defer stop()
	begin := runstore.Change{State: runstore.Active}
	if r.Executor == "" {
		begin.Executor = "quire-ci"
	}
	if err := driver.Begin(watched, x.Limits, begin); err != nil {
		return process.Status{}, runstore.Status{}, err
	}
	fmt.Fprintf(log, "quire: %s run %s: %s\n", now(), r.ID, text.QuoteLine(x.Command...))
	status, change := x.supervise(watched, r, log)
	fmt.Fprintf(log, "quire: %s run %s: %s\n", now(), r.ID, status)
	final, err := x.end(r, change)
	return status, final, err
}

// recordTime is added to the grace of the driven command, which must still write its
// records when its own processes are gone. Processes that it leaves behind get at least
// as long.
const recordTime = time.Second

// supervise runs the command and returns how it ended and what that makes of the run.
func (x Exec) supervise(ctx context.Context, r *runstore.Run, log *os.File) (process.Status, runstore.Change) {
	cmd := exec.Command(x.Command[0], x.Command[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(x.Env, r.Environ()...)
	group, err := process.Start(cmd)
	if err != nil {
		fmt.Fprintf(log, "quire: %v\n", err)
		code := process.StartCode(err)
		return process.Status{Code: code}, runstore.Change{State: runstore.Failed, Reason: "exit", Code: code}
	}
	var timeout <-chan time.Time
	if x.Timeout > 0 {
		t := time.NewTimer(x.Timeout)
		defer t.Stop()
		timeout = t.C
	}
	var early *runstore.Change
	select {
	case <-group.Done():
	case <-timeout:
		early = &runstore.Change{State: runstore.Failed, Reason: "timeout"}
		_ = group.Signal(syscall.SIGTERM)
	case <-ctx.Done():
		sig := syscall.SIGTERM
		if x.Signal != nil {
			sig = x.Signal(ctx)
		}
		early = &runstore.Change{State: runstore.Failed, Reason: "signal", Code: 128 + int(sig)}
		_ = group.Signal(sig)
	}
	grace := x.Grace
	if early != nil {
		// Were all processes told at once, the command would take those that it
		// runs for failed, not ended. It and they have one grace together.
		over := time.Now().Add(x.Grace + recordTime)
		select {
		case <-group.Done():
		case <-time.After(time.Until(over)):
		}
		grace = max(time.Until(over), recordTime)
	}
	var status process.Status
	select {
	case <-group.Done(): // reaped, it leaves a process without children most of the time
		status, err = group.Wait()
		err = errors.Join(err, process.EndDescendants(grace))
	default:
		ended := process.EndDescendants(grace)
		status, err = group.Wait()
		err = errors.Join(err, ended)
	}
	if err != nil {
		fmt.Fprintf(log, "quire: %v\n", err)
	}
	if early != nil {
		return status, *early
	}
	return status, outcome(status)
}

// outcome returns the change that the status of a command makes. 111 is what
// quire's own commands exit with when they could not do their work.
func outcome(s process.Status) runstore.Change {
	switch {
	case s.Signal != 0:
		return runstore.Change{State: runstore.Failed, Reason: "signal", Code: s.ExitCode()}
	case s.Code == 0:
		return runstore.Change{State: runstore.Complete}
	case s.Code == 111:
		return runstore.Change{State: runstore.Failed, Reason: "internal"}
	}
	return runstore.Change{State: runstore.Failed, Reason: "exit", Code: s.Code}
}

// end brings the run to the state of c, unless somebody else ended it, and
// removes its workspace before that can be seen.
func (x Exec) end(r *runstore.Run, c runstore.Change) (runstore.Status, error) {
	status, err := r.Status()
	if err != nil {
		return runstore.Status{}, err
	}
	state := c.State
	if status.State.Final() {
		state = status.State
	}
	var failure error
	if x.Keep == nil || !x.Keep(state) {
		failure = r.RemoveWorkspace()
	}
	err = r.Transition(c)
	var refused *runstore.StateError
	if err != nil && !errors.As(err, &refused) {
		return runstore.Status{}, errors.Join(err, failure)
	}
	status, err = r.Status()
	return status, errors.Join(err, failure)
}

// now returns the present as times are written in logs.
func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }
