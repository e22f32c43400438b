package drive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"quire/lib/config"
	"quire/lib/process"
	"quire/lib/runlog"
	"quire/lib/runstore"
	"quire/lib/text"
)

// An Exec is a command that drives a run.
type Exec struct {
	Command []string
	Env     []string                             // for the command, besides the facts of the run
	Timeout *time.Duration                       // of the run, from when it is active; nil: the configured one
	Grace   *time.Duration                       // between SIGTERM and SIGKILL; nil: the configured one
	Signal  func(context.Context) syscall.Signal // returns the signal that ended the context; nil: SIGTERM
}

// Run drives run with the command: it makes the run active when its turn comes, runs the
// command, ends the processes that the command left, and ends the run by the command's exit
// status. It returns the status of the command and of the run, which another process may
// have set. If the status of the run is zero, the run did not become active, and the
// error says why. Run ends the command early if ctx ends, the run exceeds its timeout, or
// another process ends the run.
//
// The command inherits the plan of the run in a file that $QUIRE_PLAN names. It is not started if the facts
// of the push cannot be read, except for a run that names no tree: a person created it,
// perhaps without a commit.
//
// This process becomes a subreaper. It must have no other children.
func (x Exec) Run(ctx context.Context, store *runstore.Store, run *runstore.Run) (process.Status, runstore.Status, error) {
	if err := process.Subreaper(); err != nil {
		return process.Status{}, runstore.Status{}, err
	}
	ignoreStops()
	var log *runlog.RunLog
	var planFile *os.File
	defer func() {
		log.Close() // works on nil too
		planFile.Close()
	}()
	var status process.Status
	d := drive{store: store, run: run, withoutFacts: run.Tree == ""}
	if run.Executor == "" {
		d.executor = "quire-ci"
	}
	d.adjust = func(s *config.Settings) {
		if x.Timeout != nil {
			s.Timeout = *x.Timeout
		}
		if x.Grace != nil {
			s.Grace = *x.Grace
		}
	}
	d.prepare = func(p *Plan) (err error) {
		log.Close() // of an earlier turn
		planFile.Close()
		if log, err = runlog.OpenRunLog(filepath.Join(run.Dir, runstore.LogFile), p.Settings.MaxLog); err != nil {
			return err
		}
		planFile, err = p.file()
		return err
	}
	d.work = func(ctx context.Context, p *Plan, g *process.Cgroup) (change runstore.Change, err error) {
		log.Note("quire: %s run %s: %s", runlog.Now(), run.ID, text.QuoteLine(x.Command...))
		status, change = x.supervise(ctx, run, p.Settings, g, log, planFile)
		if change.Reason == "internal" {
			change.Note = runlog.LastLine(filepath.Join(run.Dir, runstore.LogFile))
		}
		log.Note("quire: %s run %s: %s", runlog.Now(), run.ID, status)
		return change, log.Close() // before the run ends, for readers of its log
	}
	end, err := d.do(ctx)
	return status, end, err
}

// recordTime is added to the grace of the driven command, which must still write its
// records when its own processes are gone. Processes that it leaves behind get at least
// as long.
const recordTime = time.Second

// supervise runs the command. It returns its exit status and the state that the run gets.
func (x Exec) supervise(ctx context.Context, r *runstore.Run, s config.Settings, cgroup *process.Cgroup, log *runlog.RunLog, plan *os.File) (process.Status, runstore.Change) {
	cmd := exec.Command(x.Command[0], x.Command[1:]...)
	cmd.Env = slices.Concat(x.Env, r.Environ(), []string{fmt.Sprintf("%s=/dev/fd/%d", planVariable, planFD)})
	cmd.ExtraFiles = make([]*os.File, planFD-3+1) // nil: closed
	cmd.ExtraFiles[planFD-3] = plan
	output, drain, err := logPipe(log)
	var group *process.Group
	if err == nil {
		defer drain()
		cmd.Stdout, cmd.Stderr = output, output
		group, err = cgroup.Start(cmd)
		output.Close()
	}
	plan.Close() // otherwise jobs could find it in /proc
	if err != nil {
		log.Note("quire: %v", err)
		code := process.StartCode(err)
		return process.Status{Code: code}, runstore.Change{State: runstore.Failed, Reason: "exit", Code: code}
	}
	var timeout <-chan time.Time
	if s.Timeout > 0 {
		t := time.NewTimer(s.Timeout)
		defer t.Stop()
		timeout = t.C
	}
	var early *runstore.Change
	select {
	case <-group.Done():
	case <-timeout:
		early = &runstore.Change{State: runstore.Failed, Reason: "timeout"}
		_ = group.Signal(syscall.SIGTERM)
		endEarly(r, *early)
	case <-ctx.Done():
		sig := syscall.SIGTERM
		if x.Signal != nil {
			sig = x.Signal(ctx)
		}
		early = &runstore.Change{State: runstore.Failed, Reason: "signal", Code: 128 + int(sig)}
		_ = group.Signal(sig)
		endEarly(r, *early)
	}
	grace := s.Grace
	if early != nil {
		// Only the command is signalled at first: if its children were signalled too, it
		// would report that they failed. All of them share one grace period.
		deadline := time.Now().Add(s.Grace + recordTime)
		select {
		case <-group.Done():
		case <-time.After(time.Until(deadline)):
		}
		grace = max(time.Until(deadline), recordTime)
	}
	var status process.Status
	select {
	case <-group.Done(): // reap it first: usually no children are left then
		status, err = group.Wait()
		err = errors.Join(err, process.EndDescendants(grace))
	default:
		ended := process.EndDescendants(grace)
		status, err = group.Wait()
		err = errors.Join(err, ended)
	}
	if err != nil {
		log.Note("quire: %v", err)
	}
	if early != nil {
		return status, *early
	}
	return status, outcome(status)
}

// drainTime is how long output is still read after the processes have ended. Only a process
// that escaped every signal could print more.
const drainTime = time.Second

// logPipe returns a pipe to log for the output of a command. The command does not get the
// file itself: a job could open it as /proc/1/fd/1 and truncate it. The caller must call
// drain when the command's processes have ended.
func logPipe(log *runlog.RunLog) (output *os.File, drain func(), err error) {
	in, output, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(log, in)
	}()
	return output, func() {
		_ = in.SetReadDeadline(time.Now().Add(drainTime))
		<-done
		in.Close()
	}, nil
}

// ignoreStops makes this process ignore the stop signals of a terminal and SIGPIPE, because
// it holds a run's lock and watches deadlines. It catches the signals, so that commands do
// not inherit this.
func ignoreStops() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGPIPE)
}

// exitInternal is the exit status of quire's own commands if they could not do their work.
const exitInternal = 111

// outcome returns the end of a run by the exit status of its command.
func outcome(s process.Status) runstore.Change {
	switch {
	case s.Signal != 0:
		return runstore.Change{State: runstore.Failed, Reason: "signal", Code: s.ExitCode()}
	case s.Code == 0:
		return runstore.Change{State: runstore.Complete}
	case s.Code == exitInternal:
		return runstore.Change{State: runstore.Failed, Reason: "internal"}
	}
	return runstore.Change{State: runstore.Failed, Reason: "exit", Code: s.Code}
}
