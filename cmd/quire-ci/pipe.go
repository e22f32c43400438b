package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"quire/lib/cli"
)

// errPipe is the cause of a context that ended because nobody reads any more.
var errPipe = errors.New("the output is a closed pipe")

// pipeStatus is what a shell says of a command that a closed pipe ended.
const pipeStatus = 128 + int(syscall.SIGPIPE)

// untilPipe returns a context that ends at the first write to a closed standard
// output or error. As a signal it would end the process, and leave behind what the
// commands of a run have started.
func untilPipe(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGPIPE)
	go func() {
		select {
		case <-signals:
			cancel(errPipe)
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
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
