package drive

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"quire/lib/process"
	"quire/lib/runlog"
	"quire/lib/runstore"
	"quire/lib/text"
)

// Run runs the launcher to its end, with its output going to stdout and stderr. It returns
// the exit status that decides how the run ends: if it is 0, the records of the run say
// complete too. Run sends SIGTERM to the launcher for each of signals; every launcher must
// handle that, and the sender decides how the run ends. If the launcher failed before the
// pipeline ended, the run fails with the reason launcher, and its history has the text of
// Run's error.
func (l *Launch) Run(signals <-chan os.Signal, stdout, stderr *os.File) (int, error) {
	cmd := exec.Command(l.Args[0], l.Args[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = l.Env, stdout, stderr, l.files
	if err := process.ForgetKeys(); err != nil {
		return 0, err
	}
	group, err := process.Start(cmd)
	if err != nil {
		return 0, l.fail("cannot start launcher '%s': %v", l.Args[0], text.Cause(err))
	}
	var ended syscall.Signal
	for done := group.Done(); done != nil; {
		select {
		case s := <-signals:
			ended = s.(syscall.Signal)
			_ = group.Signal(syscall.SIGTERM)
		case <-done:
			done = nil
		}
	}
	status, err := group.Wait()
	switch {
	case err != nil:
		return 0, err
	case ended != 0 && status.ExitCode() == 0:
		return 128 + int(ended), nil
	case ended != 0:
		return status.ExitCode(), nil
	}
	if err := l.judge(status); err != nil {
		return 0, err
	}
	if status.ExitCode() == exitInternal { // the records say failed; the log may not say why
		return 0, fmt.Errorf("launcher '%s' ended with %s: it or quire-ci behind it could not do its work", l.Args[0], status)
	}
	return status.ExitCode(), nil
}

// judge compares the exit status of the launcher with the records of the run. A process
// behind the launcher wrote the records, and is not trusted: they can make a run fail, but
// cannot make it complete if the launcher failed.
func (l *Launch) judge(status process.Status) error {
	first, last, err := runlog.FirstAndLast(l.run.Dir)
	if err != nil {
		return l.fail("launcher '%s' ended with %s: %v", l.Args[0], status, err)
	}
	complete := last.Event == runlog.RunEnd && last.State == runlog.Complete
	switch {
	case first.Event != runlog.RunStart:
		return l.fail("launcher '%s' ended with %s before quire-ci began the run", l.Args[0], status)
	case last.Event != runlog.RunEnd:
		return l.fail("launcher '%s' ended with %s before quire-ci ended the run", l.Args[0], status)
	case complete != (status.ExitCode() == 0):
		return l.fail("launcher '%s' ended with %s, but the run is %s", l.Args[0], status, last.State)
	}
	return nil
}

// fail ends the run with the reason launcher, unless another process has ended it, and
// returns the formatted error.
func (l *Launch) fail(format string, args ...any) error {
	what := fmt.Errorf(format, args...)
	err := l.run.Transition(runstore.Change{
		State: runstore.Failed, Reason: "launcher", Note: what.Error(), From: runstore.Active,
	})
	if errors.As(err, new(*runstore.StateError)) {
		err = nil
	}
	return errors.Join(what, err)
}
