// Package notify runs the programs that are to be told of each run that has ended,
// as quire-notify(7) describes.
//
// A run is to be told from before its end can be seen, which runstore notes, until
// its programs have ended. One process tells at a time, in the background, one run
// after the other: so nobody waits for it, many ends do not become many processes,
// and no run is told by two.
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

	"quire/lib/process"
	"quire/lib/runstore"
	"quire/lib/view"
)

// Timeout is how long one program may take.
const Timeout = 30 * time.Second

// Start starts a process that tells what has ended, unless there is nothing to tell
// or one does so already. Who ended a run, or drove one, calls it afterwards. Where
// it fails, the next one makes up for it.
func Start(store *runstore.Store) error {
	waiting, err := hasUntold(store)
	if err != nil || !waiting {
		return err
	}
	if telling, err := store.Telling(); err != nil || telling {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("cannot start quire-runstate: %w", err)
	}
	cmd := exec.Command(filepath.Join(filepath.Dir(self), "quire-runstate"), "--root", store.Root(), "notify")
	cmd.Dir = store.Root()
	return process.Detach(cmd)
}

func hasUntold(store *runstore.Store) (bool, error) {
	for _, err := range store.Untold() {
		return err == nil, err
	}
	return false, nil
}

// Options says how the programs are run.
type Options struct {
	Env     []string      // for the programs, beside what they are told
	Timeout time.Duration // of each program
	Grace   time.Duration // between SIGTERM and SIGKILL
	Warn    func(error)   // gets what a program did wrong

	URL func(run *runstore.Run) string // returns the address of the page of a run; nil: there is none
}

// Deliver tells what has ended until there is nothing left to tell, waiting for
// another process that does so. The error is of what kept it from telling; how the
// programs fared is in the run's log of them.
//
// This process becomes a subreaper, and must have no other children.
func Deliver(ctx context.Context, store *runstore.Store, o Options) error {
	if err := process.Subreaper(); err != nil {
		return err
	}
	for {
		waiting, err := hasUntold(store)
		if err != nil || !waiting {
			return err
		}
		unlock, err := store.LockTelling(ctx)
		if err != nil {
			return err
		}
		err = o.tellAll(ctx, store)
		unlock()
		if err != nil {
			return err
		}
	}
}

// tellAll tells each run that is to be told. One that cannot be told does not keep
// the others from it.
func (o Options) tellAll(ctx context.Context, store *runstore.Store) error {
	var failures []error
	for run, err := range store.Untold() {
		if err == nil {
			err = o.tell(ctx, store, run)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// tell runs the programs for one run. Where ctx ends it, the run stays to be told.
func (o Options) tell(ctx context.Context, store *runstore.Store, run *runstore.Run) error {
	programs, err := find(filepath.Join(store.Root(), runstore.OnEndDir))
	if err != nil {
		return err
	}
	if len(programs) > 0 {
		log := openLog(run.Dir)
		defer log.f.Close()
		record, env, err := o.facts(store, run)
		if err != nil {
			return err
		}
		for _, p := range programs {
			err := p.run(ctx, o, run.Dir, env, record, log)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err != nil && o.Warn != nil {
				o.Warn(fmt.Errorf("cannot tell '%s' of run %s: %w", p.path, run.ID, err))
			}
		}
	}
	return run.Told()
}

// facts returns what the programs get as standard input and as environment.
func (o Options) facts(store *runstore.Store, run *runstore.Run) (record []byte, env []string, err error) {
	seen, err := view.Of(run)
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
	status, err := run.Status()
	if err != nil {
		return nil, nil, err
	}
	previous, err := store.Previous(run)
	if err != nil {
		return nil, nil, err
	}
	return text.Bytes(), slices.Concat(o.Env, environ(run, status, previous), []string{"QUIRE_URL=" + seen.URL}), nil
}

// environ is what the programs are told beside the record.
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
