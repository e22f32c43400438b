package main

import (
	"context"
	"errors"

	"quire/lib/cli"
	"quire/lib/runstore"
	"quire/lib/text"
	"quire/lib/view"
)

const logUsage = `usage: quire-runstate log [-f] [--times] ID [JOB]
Prints the log of a run, or of one of its jobs.
  -f                     follow the log, and exit when the run has ended
  --times                begin each line with its time
` + rootUsage

func (r *rootOption) log(ctx context.Context, e *cli.Env) error {
	fs := r.flags()
	follow := fs.Bool("f", false, "")
	times := fs.Bool("times", false, "")
	_, run, err := r.beginRun(e, fs, logUsage, 2, "ID")
	if err != nil {
		return err
	}
	job := ""
	if len(e.Args) == 2 {
		job = e.Args[1]
		if err := hasJob(run, job, *follow); err != nil {
			return err
		}
	}
	l := view.NewLog(run, job, text.Terminal(e.Stdout))
	l.Times = *times
	defer l.Close()
	if !*follow {
		return l.Print()
	}
	noteDriver(e, run)
	return l.Follow(ctx)
}

// hasJob is view.HasJob, with an error that makes the command exit with No.
func hasJob(run *runstore.Run, job string, future bool) error {
	err := view.HasJob(run, job, future)
	if errors.As(err, new(*view.NoJobError)) {
		return cli.Status(cli.No, err)
	}
	return err
}
