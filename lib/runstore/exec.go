package runstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"quire/lib/file"
	"quire/lib/process"
)

// LogFile is the file of a run's directory with all output of the driven command.
const LogFile = "quire-ci.log"

// WorkspaceDir is the directory of a run that has the commit's tree.
const WorkspaceDir = "workspace"

// An Exec is a command that drives a run.
type Exec struct {
	Command []string
	Env     []string                             // for the command; the run's facts are added
	Limits  Limits                               // on runs at once
	Timeout time.Duration                        // of the run, from when it is active; 0: none
	Grace   time.Duration                        // between SIGTERM and SIGKILL
	Keep    func(State) bool                     // whether to keep the workspace; nil: no
	Signal  func(context.Context) syscall.Signal // which signal ended the context; nil: SIGTERM
}

// Exec drives the run with a command: makes it active when its turn comes, runs
// the command, ends whatever processes the command left, and ends the run by the
// command's status. It returns that status, and the state the run is in then,
// which may have been decided by somebody else meanwhile. The command is ended
// early when ctx ends, at the timeout, and when somebody else ends the run.
//
// This process becomes a subreaper, and must have no other children.
func (r *Run) Exec(ctx context.Context, x Exec) (process.Status, Status, error) {
	driver, err := r.Drive()
	if err != nil {
		return process.Status{}, Status{}, err
	}
	defer driver.Unlock()
	if err := process.Subreaper(); err != nil {
		return process.Status{}, Status{}, err
	}
	log, err := file.OpenFile(filepath.Join(r.Dir, LogFile), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return process.Status{}, Status{}, r.gone(err)
	}
	if err != nil {
		return process.Status{}, Status{}, fmt.Errorf("cannot write log of run %s: %w", r.ID, plain(err))
	}
	defer log.Close()
	watched, stop := driver.Context(ctx)
	defer stop()
	begin := Change{State: Active}
	if r.Executor == "" {
		begin.Executor = "quire-ci"
	}
	if err := driver.Begin(watched, x.Limits, begin); err != nil {
		return process.Status{}, Status{}, err
	}
	fmt.Fprintf(log, "quire: %s run %s: %s\n", formatTime(time.Now()), r.ID, quote(x.Command))
	status, change := r.supervise(watched, x, log)
	fmt.Fprintf(log, "quire: %s run %s: %s\n", formatTime(time.Now()), r.ID, status)
	final, err := r.end(x, change)
	return status, final, err
}

// lastWords is how long a command that was told to end has beyond the grace, which is
// what it may give to its own: for its records. So much have those, too, that it leaves
// when all of that is over.
const lastWords = time.Second

// supervise runs the command and returns how it ended and what that makes of the run.
func (r *Run) supervise(ctx context.Context, x Exec, log *os.File) (process.Status, Change) {
	cmd := exec.Command(x.Command[0], x.Command[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(x.Env, r.Environ()...)
	group, err := process.Start(cmd)
	if err != nil {
		fmt.Fprintf(log, "quire: %v\n", err)
		code := process.StartCode(err)
		return process.Status{Code: code}, Change{State: Failed, Reason: "exit", Code: code}
	}
	var timeout <-chan time.Time
	if x.Timeout > 0 {
		t := time.NewTimer(x.Timeout)
		defer t.Stop()
		timeout = t.C
	}
	var early *Change
	select {
	case <-group.Done():
	case <-timeout:
		early = &Change{State: Failed, Reason: "timeout"}
		_ = group.Signal(syscall.SIGTERM)
	case <-ctx.Done():
		sig := syscall.SIGTERM
		if x.Signal != nil {
			sig = x.Signal(ctx)
		}
		early = &Change{State: Failed, Reason: "signal", Code: 128 + int(sig)}
		_ = group.Signal(sig)
	}
	grace := x.Grace
	if early != nil {
		// Were all processes told at once, the command would take those that it
		// runs for failed, not ended. It and they have one grace together.
		over := time.Now().Add(x.Grace + lastWords)
		select {
		case <-group.Done():
		case <-time.After(time.Until(over)):
		}
		grace = max(time.Until(over), lastWords)
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
func outcome(s process.Status) Change {
	switch {
	case s.Signal != 0:
		return Change{State: Failed, Reason: "signal", Code: s.ExitCode()}
	case s.Code == 0:
		return Change{State: Complete}
	case s.Code == 111:
		return Change{State: Failed, Reason: "internal"}
	}
	return Change{State: Failed, Reason: "exit", Code: s.Code}
}

// end brings the run to the state of c, unless somebody else ended it, and
// removes its workspace before that can be seen.
func (r *Run) end(x Exec, c Change) (Status, error) {
	status, err := r.Status()
	if err != nil {
		return Status{}, err
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
	var refused *StateError
	if err != nil && !errors.As(err, &refused) {
		return Status{}, errors.Join(err, failure)
	}
	status, err = r.Status()
	return status, errors.Join(err, failure)
}

// leftWorkspace is how names begin of what a process that was killed while it made
// the workspace left beside it.
const leftWorkspace = "." + WorkspaceDir + ".quire-"

// RemoveWorkspace deletes the run's workspace, if there is one, or any part of it.
// Where it is a link, what that leads to stays.
func (r *Run) RemoveWorkspace() error {
	entries, err := os.ReadDir(r.Dir)
	for _, e := range entries {
		if e.Name() == WorkspaceDir || strings.HasPrefix(e.Name(), leftWorkspace) {
			err = errors.Join(err, RemoveTree(filepath.Join(r.Dir, e.Name())))
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot remove workspace of run %s: %w", r.ID, plain(err))
	}
	return nil
}

// Environ returns the run's facts as the environment of the command that drives it.
func (r *Run) Environ() []string {
	return []string{
		"QUIRE_ROOT=" + r.store.root,
		"QUIRE_RUN=" + r.ID,
		"QUIRE_RUN_DIR=" + r.Dir,
		"QUIRE_REPO=" + r.Repo,
		"QUIRE_REF=" + r.Ref,
		"QUIRE_SHA=" + r.SHA,
		"QUIRE_GIT_DIR=" + r.GitDir,
	}
}

// quote returns the words as a shell would read them.
func quote(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		if w == "" || strings.ContainsFunc(w, special) {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		quoted[i] = escape(w, 0)
	}
	return strings.Join(quoted, " ")
}

func special(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("-_./:=@%+,", r)
}
