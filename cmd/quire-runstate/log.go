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
	driven, err := endedButDriven(run)
	if err != nil {
		return err
	}
	if !*follow && !driven { // a driver writes the last lines when it ends
		return l.Print()
	}
	noteDriver(e, run)
	return l.Follow(ctx)
}

// endedButDriven reports whether a run has ended while its driver is not done yet.
func endedButDriven(run *runstore.Run) (bool, error) {
	status, err := run.Status()
	if err != nil || !status.State.Final() {
		return false, err
	}
	return run.Driven()
}

// hasJob is view.HasJob, with an error that makes the command exit with No.
func hasJob(run *runstore.Run, job string, future bool) error {
	err := view.HasJob(run, job, future)
	if errors.As(err, new(*view.NoJobError)) {
		return cli.Status(cli.No, err)
	}
	return err
}
