package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"quire/lib/cli"
)

// errPipe is the cause of a context that ended because nobody reads any more.
var errPipe = errors.New("the output is a closed pipe")

// pipeStatus is what a shell says of a command that a closed pipe ended.
const pipeStatus = 128 + int(syscall.SIGPIPE)

// untilPipe returns a context that ends at the first write to out, by way of the
// writer it returns, that finds nobody reading. The signal that comes with it would
// end the process, and leave behind what the commands of a run have started; it is
// caught and means nothing by itself: a command that does not read its standard
// input causes one too. Being caught, not ignored, it is not so for commands.
func untilPipe(ctx context.Context, out io.Writer) (context.Context, io.Writer, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGPIPE)
	closed := func() { cancel(errPipe) }
	return ctx, pipe{out, closed}, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}

// A pipe calls closed when a write finds that nobody reads any more.
type pipe struct {
	io.Writer
	closed func()
}

func (p pipe) Write(text []byte) (int, error) {
	n, err := p.Writer.Write(text)
	if errors.Is(err, syscall.EPIPE) {
		p.closed()
	}
	return n, err
}

// ended returns the error of a run that ctx ended. What a signal means, cli.Main
// knows.
func ended(ctx context.Context) error {
	if context.Cause(ctx) == errPipe {
		return cli.Status(pipeStatus, nil)
	}
	return ctx.Err()
}
