package main

import (
	"bytes"
	"context"
	"errors"
	"os/exec"

	"quire/lib/cli"
	"quire/lib/hook"
	"quire/lib/trigger"
)

// inPostReceive returns the action do of a post-receive hook. First it announces the hook, so
// that no --missed takes the push, and runs the chained hook. If the chained hook fails, its
// status is the exit status.
func inPostReceive(do action) action {
	return func(ctx context.Context, e *cli.Env, o options) error {
		if repo, err := o.repository(e); err == nil {
			if running, err := trigger.Announce(repo); err == nil { // otherwise do fails likewise
				defer running.Close()
			}
		}
		if o.chained == "" {
			return withCommand(do)(ctx, e, o)
		}
		status, lines, err := hook.RunChained(o.chained, e.Stdin, e.Stdout, e.Stderr)
		code := e.Report(err)
		if code == cli.OK {
			code = status
		}
		e.Stdin = bytes.NewReader(lines)
		if code == cli.OK {
			return withCommand(do)(ctx, e, o)
		}
		return afterFailure(code, do)(ctx, e, o)
	}
}

// afterFailure is withCommand with the exit status code, whatever do does. It starts the
// command as a child.
func afterFailure(code int, do action) action {
	return func(ctx context.Context, e *cli.Env, o options) error {
		command, stdout := e.Args, e.Stdout
		var lines bytes.Buffer
		if len(command) > 0 {
			e.Args, e.Stdout = nil, &lines
		}
		e.Report(do(ctx, e, o))
		if lines.Len() > 0 {
			cmd := exec.Command(command[0], command[1:]...)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = &lines, stdout, e.Stderr
			if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
				e.Report(notStarted(command[0], err))
			}
		}
		return cli.Status(code, nil)
	}
}
