// Package notify runs the programs in on-start.d for each run that becomes active, and those
// in on-end.d for each run that has ended, see quire-notify(7).
//
// Package runstore queues a run for notification before its end becomes visible, and the run
// stays queued until its programs have ended. One background process runs the programs, for
// one run after the other: so no command waits for them, many ends do not start many
// processes, and no two processes notify of the same run. The programs for a start run at
// most once, in a separate process for each run.
package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"quire/lib/git"
	"quire/lib/process"
	"quire/lib/runstore"
	"quire/lib/view"
)

// Timeout is how long one program may take.
const Timeout = 30 * time.Second

// Ended starts the background process, which calls Deliver, unless no run is queued or it is
// already running. Every process that ended or drove a run calls it afterwards. If it fails,
// the next call makes up for it.
func Ended(store *runstore.Store) error {
	waiting, err := hasQueued(store)
	if err != nil || !waiting {
		return err
	}
	if running, err := store.NotifyRunning(); err != nil || running {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("cannot start quire-runstate: %w", err)
	}
	cmd := exec.Command(filepath.Join(filepath.Dir(self), "quire-runstate"), "--root", store.Root(), "notify")
	cmd.Dir, cmd.Env = store.Root(), git.CleanEnv(os.Environ())
	return process.Detach(cmd)
}

func hasQueued(store *runstore.Store) (bool, error) {
	for _, err := range store.PendingNotify() {
		return err == nil, err
	}
	return false, nil
}

// Options says how the programs are run.
type Options struct {
	Env     []string      // for the programs, besides the variables about the run
	Timeout time.Duration // of each program
	Grace   time.Duration // between SIGTERM and SIGKILL
	Warn    func(error)   // called with the failure of a program

	URL func(run *runstore.Run) string // returns the address of the page of a run; nil if runs have no pages
}

// Deliver runs the programs for each queued run until no run is queued. If another process
// is doing that, it waits for its end first. The error says why Deliver itself failed; the
// results of the programs are in the run's LogFile.
//
// This process becomes a subreaper, and must have no other children.
func Deliver(ctx context.Context, store *runstore.Store, o Options) error {
	if err := process.Subreaper(); err != nil {
		return err
	}
	for {
		waiting, err := hasQueued(store)
		if err != nil || !waiting {
			return err
		}
		unlock, err := store.LockNotify(ctx)
		if err != nil {
			return err
		}
		err = o.notifyAll(ctx, store)
		unlock()
		if err != nil {
			return err
		}
	}
}

// notifyAll runs the programs for each queued run. After a failure it continues with the
// next run.
func (o Options) notifyAll(ctx context.Context, store *runstore.Store) error {
	var failures []error
	for run, err := range store.PendingNotify() {
		if err == nil {
			err = o.notify(ctx, store, run)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// notify runs the programs for the end of one run, after those for its start have ended. If
// ctx ends first, the run stays queued.
func (o Options) notify(ctx context.Context, store *runstore.Store, run *runstore.Run) error {
	if err := awaitStart(ctx, run); err != nil {
		return err
	}
	status, err := run.Status()
	if err != nil {
		return err
	}
	if err := o.runPrograms(ctx, store, run, runstore.OnEndDir, LogFile, status); err != nil {
		return err
	}
	return run.Notified()
}

// runPrograms runs the programs in dir of the root for a run with a status. Their output goes
// to the file logFile of the run.
func (o Options) runPrograms(ctx context.Context, store *runstore.Store, run *runstore.Run, dir, logFile string, status runstore.Status) error {
	programs, err := find(filepath.Join(store.Root(), dir))
	if err != nil || len(programs) == 0 {
		return err
	}
	log := openLog(filepath.Join(run.Dir, logFile))
	defer log.f.Close()
	record, env, err := o.input(store, run, status)
	if err != nil {
		return err
	}
	for _, p := range programs {
		err := p.run(ctx, o, run.Dir, env, record, log)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil && o.Warn != nil {
			o.Warn(fmt.Errorf("'%s' failed for run %s: %w", p.path, run.ID, err))
		}
	}
	return nil
}

// input returns the standard input and the environment of the programs.
func (o Options) input(store *runstore.Store, run *runstore.Run, status runstore.Status) (record []byte, env []string, err error) {
	seen, err := view.Read(run)
	if err != nil {
		return nil, nil, err
	}
	if o.URL != nil {
		seen.URL = o.URL(run)
	}
	var text bytes.Buffer
	if err := seen.WriteJSON(&text); err != nil {
		return nil, nil, err
	}
	previous, err := store.Previous(run)
	if err != nil {
		return nil, nil, err
	}
	return text.Bytes(), slices.Concat(o.Env, environ(run, status, previous), []string{"QUIRE_URL=" + seen.URL}), nil
}

// environ returns the variables about the run.
func environ(run *runstore.Run, s runstore.Status, previous runstore.Record) []string {
	code := ""
	if s.Reason == "exit" || s.Reason == "signal" {
		code = fmt.Sprint(s.Code)
	}
	return append(run.Environ(),
		"QUIRE_PUSHER="+run.Pusher,
		"QUIRE_STATE="+string(s.State),
		"QUIRE_REASON="+s.Reason,
		"QUIRE_CODE="+code,
		"QUIRE_PREVIOUS_RUN="+previous.ID,
		"QUIRE_PREVIOUS_STATE="+string(previous.State),
		"QUIRE_PREVIOUS_REASON="+previous.Reason,
	)
}
