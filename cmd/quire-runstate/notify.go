package main

import (
	"cmp"
	"context"
	"os"
	"path/filepath"

	"quire/lib/cli"
	"quire/lib/executor"
	"quire/lib/notify"
	"quire/lib/runstore"
)

const notifyUsage = `usage: quire-runstate notify [--timeout DURATION] [--start ID]
Runs the programs in on-end.d of the root for each ended run for which they have
not run yet; see quire-notify(7).
  --timeout DURATION     how long each program may take; default 30s
  --start ID             run the programs in on-start.d instead, for one run
` + rootUsage

func (r *rootOption) notify(ctx context.Context, e *cli.Env) error {
	fs := r.flags()
	timeout := cli.Duration(fs, "timeout", notify.Timeout)
	start := fs.String("start", "", "")
	s, err := r.begin(e, fs, notifyUsage, 0, 0, "")
	if err != nil {
		return err
	}
	if *timeout == 0 {
		return cli.Usagef("bad value '0' of option '--timeout': not positive")
	}
	c, err := loadAndWarn(ctx, e, s)
	if err != nil {
		e.Warn("using the default grace: %v", err)
	}
	ctx = e.CatchSignals(ctx)
	o := notify.Options{
		Env:     programEnv(),
		Timeout: *timeout,
		Grace:   c.For("").Grace,
		URL:     func(run *runstore.Run) string { return c.For(run.Repo).RunURL(run.Repo, run.ID) },
		Warn:    func(err error) { e.Warn("%v", err) },
	}
	if *start != "" {
		var run *runstore.Run
		if run, err = s.Find(*start); err == nil {
			err = notify.DeliverStart(ctx, s, run, o)
		}
	} else {
		err = notify.Deliver(ctx, s, o)
	}
	if ctx.Err() != nil {
		return context.Canceled
	}
	return err
}

// programEnv returns the environment of the programs: the jobs' environment, with the
// directory of quire's commands in PATH. cron's PATH may lack it.
func programEnv() []string {
	path := cmp.Or(os.Getenv("PATH"), "/usr/bin:/bin")
	if self, err := os.Executable(); err == nil {
		path += ":" + filepath.Dir(self)
	}
	return append(executor.BaseEnv(os.Environ(), nil, ""), "PATH="+path)
}
