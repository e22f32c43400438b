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

// errPipe is the cause of a context that ended because nobody reads any more.
var errPipe = errors.New("the output is a closed pipe")

// pipeStatus is what a shell says of a command that a closed pipe ended.
const pipeStatus = 128 + int(syscall.SIGPIPE)

// outputs returns writers for the output of a run and for its summary, which do not wait
// for a reader that is slow, and a context that ends when the reader of the output has
// closed it. A driver is no such reader: it writes the log, which must have all. The
// caller must call end when nothing more is written.
func (s *settings) outputs(ctx context.Context, e *cli.Env) (_ context.Context, output, errs io.Writer, end func()) {
	if s.facts != "" {
		return ctx, e.Stdout, e.Stderr, func() {}
	}
	ctx, output, endOutput := untilPipe(ctx, e.Stdout)
	errs, endErrs := runlog.NewLive(e.Stderr, nil)
	return ctx, output, errs, func() {
		endOutput()
		endErrs()
	}
}

// untilPipe returns a context that ends when the reader of out has closed it, and a
// writer for output, which does not wait for a reader that is slow. SIGPIPE would end
// the process and leave processes of the run behind, so it is caught. By itself it means
// nothing: a command that does not read its standard input causes one too. Commands do
// not inherit that, since it is caught and not ignored. The caller must call stop when
// nothing more is written.
func untilPipe(ctx context.Context, out io.Writer) (_ context.Context, output io.Writer, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGPIPE)
	output, end := runlog.NewLive(out, func(err error) {
		if errors.Is(err, syscall.EPIPE) {
			cancel(errPipe)
		}
	})
	return ctx, output, func() {
		end()
		signal.Stop(signals)
	}
}

// ended returns the error of a run that ctx ended. What a signal means, cli.Main
// knows.
func ended(ctx context.Context) error {
	if context.Cause(ctx) == errPipe {
		return cli.Status(pipeStatus, nil)
	}
	return ctx.Err()
}
