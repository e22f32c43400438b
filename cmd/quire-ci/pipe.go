package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"quire/lib/cli"
	"quire/lib/runlog"
)

// errPipe is the cause of a context that ended because the output has no reader.
var errPipe = errors.New("the output is a closed pipe")

// pipeStatus is the shell's exit status for a command that a closed pipe ended.
const pipeStatus = 128 + int(syscall.SIGPIPE)

// outputs returns writers for the output of a run and for its summary, and a context that
// ends when a write to the output fails because its reader has closed it. The writers do
// not wait for a slow reader, except behind a driver: it writes the log, which must have
// all of the output. The caller must call end after the last write.
//
// SIGPIPE would end the process and leave processes of the run behind, also if the log
// goes through a connection that ended, so it is caught. By itself it means nothing: a
// command that does not read its standard input causes one too. Commands do not inherit
// this, since the signal is caught and not ignored.
func (s *settings) outputs(ctx context.Context, e *cli.Env) (_ context.Context, output, errs io.Writer, end func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGPIPE)
	failed := func(err error) {
		if errors.Is(err, syscall.EPIPE) {
			cancel(errPipe)
		}
	}
	if s.facts != "" {
		return ctx, writer{e.Stdout, failed}, writer{e.Stderr, failed}, func() { signal.Stop(signals) }
	}
	output, endOutput := runlog.NewLive(e.Stdout, failed)
	errs, endErrs := runlog.NewLive(e.Stderr, nil)
	return ctx, output, errs, func() {
		endOutput()
		endErrs()
		signal.Stop(signals)
	}
}

// A writer calls failed with the error of each write that fails.
type writer struct {
	io.Writer
	failed func(error)
}

func (w writer) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if err != nil {
		w.failed(err)
	}
	return n, err
}

// ended returns the error of a run that ctx ended. cli.Main interprets signals.
func ended(ctx context.Context) error {
	if context.Cause(ctx) == errPipe {
		return cli.Status(pipeStatus, nil)
	}
	return ctx.Err()
}
