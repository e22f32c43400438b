package main

import (
	"cmp"
	"context"
	"os"
	"path/filepath"

	"quire/lib/cli"
	"quire/lib/executor"
	"quire/lib/notify"
)

const notifyUsage = `usage: quire-runstate notify [--timeout DURATION]
Runs the programs in on-end.d of the root for each run that has ended and for which
that is still to be done; see quire-notify(7).
  --timeout DURATION  how long each program may take, by default 30s
`

func (r *rootOption) notify(ctx context.Context, e *cli.Env) error {
	fs := r.flags()
	timeout := fs.Duration("timeout", notify.Timeout, "")
	if err := e.Parse(fs, notifyUsage); err != nil {
		return err
	}
	if err := e.Operands(0, 0, ""); err != nil {
		return err
	}
	if *timeout <= 0 {
		return cli.Usagef("bad value '%s' of option '--timeout': not positive", *timeout)
	}
	s, err := r.open(e)
	if err != nil {
		return err
	}
	set, err := loadAndWarn(ctx, e, s)
	if err != nil {
		e.Warn("using the default grace: %v", err)
	}
	err = notify.Deliver(ctx, s, notify.Options{
		Env:     programEnv(),
		Timeout: *timeout,
		Grace:   set.grace(""),
		Warn:    func(err error) { e.Warn("%v", err) },
	})
	if ctx.Err() != nil {
		return context.Canceled
	}
	return err
}

// programEnv returns the environment of the programs: what jobs get, and the way to
// quire's commands, which the PATH of cron does not know.
func programEnv() []string {
	path := cmp.Or(os.Getenv("PATH"), "/usr/bin:/bin")
	if self, err := os.Executable(); err == nil {
		path += ":" + filepath.Dir(self)
	}
	return append(executor.BaseEnv(os.Environ(), nil), "PATH="+path)
}
