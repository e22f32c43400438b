package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"

	"quire/lib/cli"
	"quire/lib/file"
)

// noOperands returns the action do, which takes no operands.
func noOperands(do action) action {
	return func(ctx context.Context, e *cli.Env, o options) error {
		if err := e.Operands(0, 0, ""); err != nil {
			return err
		}
		return do(ctx, e, o)
	}
}

// withCommand returns the action do, which prints run lines. If the operands are a
// command, this process becomes that command, with the lines as its standard input. If
// there are no lines, the command is not started. This is quicker than a pipe, for
// which the shell starts one more process.
func withCommand(do action) action {
	return func(ctx context.Context, e *cli.Env, o options) error {
		command := e.Args
		if len(command) == 0 {
			return do(ctx, e, o)
		}
		var lines bytes.Buffer
		e.Args, e.Stdout = nil, &lines
		err := do(ctx, e, o)
		if lines.Len() == 0 {
			return err
		}
		code := e.Report(err)
		err = notStarted(command[0], execWithInput(command, lines.Bytes()))
		return cli.Status(max(code, cli.Failure), err)
	}
}

func notStarted(command string, err error) error {
	return fmt.Errorf("cannot start '%s', the runs are left to quire-runstate reconcile: %w", command, err)
}

// execWithInput replaces this process by a command that reads text from its standard
// input. It returns only if that fails.
func execWithInput(command []string, text []byte) error {
	program, err := exec.LookPath(command[0])
	if err != nil {
		return errors.Unwrap(err)
	}
	f, err := file.Nameless("run lines", text)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Dup3(int(f.Fd()), int(os.Stdin.Fd()), 0); err != nil {
		return err
	}
	return unix.Exec(program, command, os.Environ())
}
