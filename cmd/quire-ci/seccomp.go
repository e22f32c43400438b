package main

import (
	"context"
	"errors"
	"flag"
	"runtime"

	"quire/lib/cli"
	"quire/lib/drive"
)

const seccompUsage = `usage: quire-ci seccomp
Internal: prints this machine's system call filter, as bwrap reads it.
`

// seccomp prints the filter that launchers get as descriptor 5, for a launcher that
// another one starts on another machine.
func seccomp(_ context.Context, e *cli.Env) error {
	if err := e.Parse(new(flag.FlagSet), seccompUsage); err != nil {
		return err
	}
	if err := e.Operands(0, 0, ""); err != nil {
		return err
	}
	filter := drive.SeccompFilter()
	if len(filter) == 0 {
		return errors.New("no system call filter for " + runtime.GOARCH)
	}
	_, err := e.Stdout.Write(filter)
	return err
}
