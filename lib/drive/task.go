package drive

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"quire/lib/runstore"
	"quire/lib/text"
	"quire/lib/view"
)

// A Task is a pending run that Dispatch drives.
type Task struct {
	*runstore.Run
	drive  func() error    // returns when the run has ended or cannot be driven
	driven context.Context // ends when drive has returned or will not be called
	ended  context.CancelFunc
}

// A RunLineError says why a run line is malformed.
type RunLineError struct{ What string }

func (e *RunLineError) Error() string { return e.What }

// ParseTask returns the task of a run line. The error is a *RunLineError if the line is
// malformed.
func ParseTask(store *runstore.Store, line string) (Task, error) {
	fields := strings.Split(line, "\t")
	if len(fields) < 2 || !runstore.IsID(fields[0]) {
		return Task{}, &RunLineError{fmt.Sprintf("not a run line: '%s'", line)}
	}
	run, err := store.Find(fields[0])
	if err != nil {
		return Task{}, err
	}
	return NewTask(run, fields[1])
}

// NewTask returns the task of a run: the executor names the command that drives it. The error
// is a *RunLineError if there is no such executor.
func NewTask(run *runstore.Run, executor string) (Task, error) {
	switch executor {
	case "host":
		return newTask(run, driveBy(run, "quire-trigger", "--run", run.ID)), nil
	case "quire-ci":
		return newTask(run, driveBy(run, "quire-runstate", "exec", run.ID, "--", "quire-dispatch", "--step")), nil
	}
	return Task{}, &RunLineError{fmt.Sprintf("unknown executor '%s' of run '%s'", executor, run.ID)}
}

func newTask(run *runstore.Run, drive func() error) Task {
	driven, ended := context.WithCancel(context.Background())
	return Task{run, drive, driven, ended}
}

// driveBy returns a function that starts a driver and waits until it has ended. If the run
// has not ended by then, or its log could not be written, the error contains the driver's
// standard error. Otherwise the log explains the failure.
func driveBy(run *runstore.Run, command ...string) func() error {
	return func() error {
		var stderr bytes.Buffer
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Stderr, cmd.WaitDelay = &stderr, time.Second
		failure := cmd.Run()
		status, err := run.Status()
		unwritten := fmt.Sprintf("cannot write '%s'", filepath.Join(run.Dir, runstore.LogFile))
		if err != nil || status.State.Final() && !strings.Contains(stderr.String(), unwritten) {
			return err
		}
		why := cmp.Or(strings.TrimSpace(stderr.String()), fmt.Sprint(failure))
		return fmt.Errorf("run %s is %s: %s", run.ID, status.State, why)
	}
}

// Follow writes the logs of the tasks that Dispatch drives, one after the other, until their
// drivers have ended or Dispatch drops them. If there are several, a heading names the ref
// of each. It reports whether all runs are complete. If the reader of w has closed the pipe,
// that is no error.
func Follow(tasks []Task, w io.Writer) (complete bool, err error) {
	complete = true
	var problems []error
	for _, t := range tasks {
		if len(tasks) > 1 {
			fmt.Fprintf(w, "==> %s, run %s <==\n", text.Line(t.Ref), t.ID)
		}
		err := t.follow(w)
		if errors.Is(err, syscall.EPIPE) {
			<-t.driven.Done()
			err = nil
		}
		status, problem := t.Status()
		problems = append(problems, err, problem)
		complete = complete && status.State == runstore.Complete
	}
	return complete, errors.Join(problems...)
}

// follow writes the log of the run to w as it grows.
func (t Task) follow(w io.Writer) error {
	l := view.NewLog(t.Run, "", w)
	defer l.Close()
	err := l.Follow(t.driven)
	if errors.Is(err, context.Canceled) {
		err = l.Print()
	}
	return err
}
