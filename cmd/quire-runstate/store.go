package main

import (
	"errors"

	"quire/lib/cli"
	"quire/lib/config"
	"quire/lib/git"
	"quire/lib/notify"
	"quire/lib/runstore"
)

// root returns the root that the options, the environment and the repository at hand
// name.
func (r *rootOption) root(e *cli.Env) string {
	return config.Root(r.dir, e.Getenv, git.ConfigHere)
}

// open returns the store of the root.
func (r *rootOption) open(e *cli.Env) (*runstore.Store, error) {
	return runstore.Open(r.root(e), notify.Start)
}

// openFor returns the store, and the run that the only operand names.
func (r *rootOption) openFor(e *cli.Env) (*runstore.Run, error) {
	if err := e.Operands(1, 1, "ID"); err != nil {
		return nil, err
	}
	s, err := r.open(e)
	if err != nil {
		return nil, err
	}
	return s.Find(e.Args[0])
}

// refusal gives errors that answer "no" the exit code for it: no such run, several
// such runs, a change that is not allowed, a run that somebody else drives or has
// ended. Anything else that goes wrong is a failure.
func refusal(err error) error {
	var state *runstore.StateError
	if errors.Is(err, runstore.ErrNotFound) || errors.As(err, &state) ||
		errors.Is(err, runstore.ErrBusy) || errors.Is(err, runstore.ErrEnded) {
		return cli.Status(cli.No, err)
	}
	return err
}

// each calls do for each run that the operands name. One that fails does not keep
// the others from being done; the exit code is the greatest.
func each(e *cli.Env, s *runstore.Store, do func(*runstore.Run) error) error {
	worst := cli.OK
	for _, name := range e.Args {
		run, err := s.Find(name)
		if err == nil {
			err = do(run)
		}
		switch {
		case err == nil:
			continue
		case refusal(err) != err:
			worst = max(worst, cli.No)
		default:
			worst = cli.Failure
		}
		e.Report(err)
	}
	return status(worst)
}

// status returns the error that makes the command exit with code, all having been
// said.
func status(code int) error {
	if code == cli.OK {
		return nil
	}
	return cli.Status(code, nil)
}
