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

// alone does what takes no operands.
func alone(do action) action {
	return func(ctx context.Context, e *cli.Env, o options) error {
		if err := e.Operands(0, 0, ""); err != nil {
			return err
		}
		return do(ctx, e, o)
	}
}

// chained does what prints run lines. With operands it turns into the command that they
// are, with the lines as its standard input, unless there are none: a push feels that
// less than a pipe, for which the shell makes one more process and waits.
func chained(do action) action {
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
		err = fmt.Errorf("cannot start '%s', the runs are left to quire-runstate reconcile: %w", command[0], become(command, lines.Bytes()))
		return cli.Status(max(code, cli.Failure), err)
	}
}

// become turns this process into a command that reads text. It returns only an error.
func become(command []string, text []byte) error {
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
