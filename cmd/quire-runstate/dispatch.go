package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"quire/lib/cli"
	"quire/lib/drive"
	"quire/lib/text"
)

const dispatchUsage = `usage: quire-runstate dispatch [-w]
Drives the runs on standard input, run lines, side by side up to max-runs.
Waiting runs keep their places in the order of ids. quire-dispatch uses it.
  -w                     show the logs on standard error; exit 1 if one failed
` + rootUsage

func (r *rootOption) dispatch(ctx context.Context, e *cli.Env) error {
	fs := r.flags()
	show := fs.Bool("w", false, "")
	s, err := r.begin(e, fs, dispatchUsage, 0, 0, "")
	if err != nil {
		return err
	}
	lines, err := io.ReadAll(e.Stdin)
	if err != nil {
		return err
	}
	if *show {
		// The runs must not end because their reader has: with SIGPIPE caught, a write
		// fails with EPIPE.
		signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
		ctx = e.CatchSignals(ctx)
	}
	code := cli.OK
	var tasks []drive.Task
	for line := range strings.Lines(string(lines)) {
		task, err := drive.ParseTask(s, strings.TrimSuffix(line, "\n"))
		if errors.As(err, new(*drive.RunLineError)) {
			err = cli.Status(cli.Misuse, err)
		}
		if err != nil {
			code = max(code, e.Report(answerNo(err)))
			continue
		}
		tasks = append(tasks, task)
	}
	slices.SortFunc(tasks, func(a, b drive.Task) int { return strings.Compare(a.ID, b.ID) })
	c, err := loadConfig(ctx, s)
	if err != nil {
		e.Report(err) // each driver reports it, too, and its run stays pending
	}
	result := make(chan error, 1)
	go func() { result <- drive.Dispatch(ctx, s, tasks, drive.Limits(c)) }()
	if *show {
		complete, err := drive.Follow(tasks, text.Terminal(e.Stderr))
		if code = max(code, e.Report(err)); !complete {
			code = max(code, cli.No)
		}
	}
	code = max(code, e.Report(<-result))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return status(code)
}
