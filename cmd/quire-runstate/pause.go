package main

import (
	"context"
	"errors"

	"quire/lib/cli"
	"quire/lib/runstore"
)

const pauseUsage = `usage: quire-runstate pause [--note TEXT]
Lets no more run begin: pushes are recorded and stay pending. Active runs
continue.
  --note TEXT            why, for people
` + rootUsage

func (r *rootOption) pause(_ context.Context, e *cli.Env) error {
	fs := r.flags()
	note := fs.String("note", "", "")
	s, err := r.begin(e, fs, pauseUsage, 0, 0, "")
	if err != nil {
		return err
	}
	if err = s.Pause(*note); errors.Is(err, runstore.ErrLongNote) {
		return cli.Usagef("%v", err)
	}
	return err
}

const resumeUsage = `usage: quire-runstate resume
Lets runs begin again after pause, and says how many wait.
` + rootUsage

func (r *rootOption) resume(_ context.Context, e *cli.Env) error {
	s, err := r.begin(e, r.flags(), resumeUsage, 0, 0, "")
	if err != nil {
		return err
	}
	waiting, err := s.Resume()
	if err == nil {
		e.Note("pending runs: %d; to start them: quire-runstate reconcile | quire-dispatch", waiting)
	}
	return err
}

// notePaused says on standard error that the root is paused.
func notePaused(e *cli.Env, s *runstore.Store) {
	if err := s.Paused(); err != nil {
		e.Note("%v", err)
	}
}
