package main

import (
	"context"
	"errors"
	"os"

	"quire/lib/cli"
	"quire/lib/drive"
	"quire/lib/runstore"
	"quire/lib/view"
)

const execUsage = `usage: quire-runstate exec [OPTION...] ID -- COMMAND [ARG...]
Makes the run active, runs COMMAND with its output in the run's quire-ci.log,
and ends the run by COMMAND's exit status, which is passed on.
  --timeout DURATION     end the run after this time; default: configuration
  --grace DURATION       time between TERM and KILL; default: configuration
` + rootUsage

func (r *rootOption) exec(ctx context.Context, e *cli.Env) error {
	fs := r.flags()
	timeout := cli.Duration(fs, "timeout", -1)
	grace := cli.Duration(fs, "grace", -1)
	if err := e.Parse(fs, execUsage); err != nil {
		return err
	}
	command, err := e.OperandsAndCommand(1, "ID")
	if err != nil {
		return err
	}
	ctx = e.CatchSignals(ctx)
	s, err := r.open(e)
	if err != nil {
		return err
	}
	run, err := s.Find(e.Args[0])
	if err != nil {
		return err
	}
	x := drive.Exec{Command: command, Env: os.Environ(), Signal: signalOf}
	if *timeout >= 0 {
		x.Timeout = timeout
	}
	if *grace >= 0 {
		x.Grace = grace
	}
	child, end, err := x.Run(ctx, s, run)
	switch {
	case end.State == "" && ctx.Err() != nil:
		return context.Canceled // while it waited for its turn; the run stays pending
	case end.State == "":
		return err
	case errors.As(err, new(*drive.FactsError)):
		return cli.Status(cli.No, err)
	}
	e.Report(err)
	if end.State != runstore.Complete {
		e.Note("run %s ended %s: %s", run.ID, view.Describe(end), child)
	}
	code := child.ExitCode()
	if sig := signalOf(ctx); ctx.Err() != nil {
		code = 128 + int(sig)
	}
	if err != nil {
		code = cli.Failure
	}
	return status(code)
}
