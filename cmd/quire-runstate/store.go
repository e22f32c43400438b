package main

import (
	"errors"
	"flag"

	"quire/lib/cli"
	"quire/lib/config"
	"quire/lib/git"
	"quire/lib/notify"
	"quire/lib/runstore"
)

// root returns the root from the options, the environment, or the repository of the
// working directory.
func (r *rootOption) root(e *cli.Env) string {
	return config.Root(r.dir, e.Getenv, git.ConfigHere)
}

// open returns the store of the root.
func (r *rootOption) open(e *cli.Env) (*runstore.Store, error) {
	return runstore.Open(r.root(e), notify.Ended)
}

// begin parses the options and the operands of a subcommand, and opens the store. For
// least, most and names see cli.Env.Operands.
func (r *rootOption) begin(e *cli.Env, fs *flag.FlagSet, usage string, least, most int, names string) (*runstore.Store, error) {
	if err := e.Parse(fs, usage); err != nil {
		return nil, err
	}
	if err := e.Operands(least, most, names); err != nil {
		return nil, err
	}
	return r.open(e)
}

// beginRun is begin for a subcommand whose first operand names a run, which it finds.
func (r *rootOption) beginRun(e *cli.Env, fs *flag.FlagSet, usage string, most int, names string) (*runstore.Store, *runstore.Run, error) {
	s, err := r.begin(e, fs, usage, 1, most, names)
	if err != nil {
		return nil, nil, err
	}
	run, err := s.Find(e.Args[0])
	return s, run, err
}

// answerNo gives some errors the exit code for "no": no such run, several such runs, a
// change that is not allowed, a run that another process drives or that has ended. Any
// other error is a failure.
func answerNo(err error) error {
	var state *runstore.StateError
	if errors.Is(err, runstore.ErrNotFound) || errors.As(err, &state) ||
		errors.Is(err, runstore.ErrNotPaused) || errors.Is(err, runstore.ErrBusy) || errors.Is(err, runstore.ErrEnded) {
		return cli.Status(cli.No, err)
	}
	return err
}

// forEachRun calls do for each run in the operands. After an error it reports the error
// and continues with the next run. The exit code is the greatest.
func forEachRun(e *cli.Env, s *runstore.Store, do func(*runstore.Run) error) error {
	worst := cli.OK
	for _, name := range e.Args {
		run, err := s.Find(name)
		if err == nil {
			err = do(run)
		}
		worst = max(worst, e.Report(answerNo(err)))
	}
	return status(worst)
}

// status returns the error that makes the command exit with code and prints nothing.
func status(code int) error {
	if code == cli.OK {
		return nil
	}
	return cli.Status(code, nil)
}
