package main

import (
	"context"
	"path/filepath"

	"quire/lib/cli"
	"quire/lib/runlog"
	"quire/lib/runstore"
)

const logUsage = `usage: quire-runstate log [-f] ID [JOB]
Prints the log of a run, or of one of its jobs.
  -f  follow it, and exit when the run has ended
`

func (r *rootOption) log(ctx context.Context, e *cli.Env) error {
	fs := r.flags()
	follow := fs.Bool("f", false, "")
	if err := e.Parse(fs, logUsage); err != nil {
		return err
	}
	if err := e.Operands(1, 2, "ID"); err != nil {
		return err
	}
	s, err := r.open(e)
	if err != nil {
		return err
	}
	run, err := s.Find(e.Args[0])
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
	l := newLogPrinter(run, job, e.Stdout)
	if !*follow {
		return l.print()
	}
	err = l.follow(ctx)
	if ctx.Err() != nil {
		return context.Canceled
	}
	return err
}

// hasJob returns an error when the run has no such job, and cannot get it any more.
func hasJob(run *runstore.Run, job string, follow bool) error {
	status, err := run.Status()
	if err != nil {
		return err
	}
	jobs, err := runlog.Summarize(run.Dir)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if j.ID == job {
			return nil
		}
	}
	if follow && !status.State.Final() {
		return nil
	}
	return cli.Status(cli.No, &noJobError{run.ID, job})
}

type noJobError struct{ run, job string }

func (e *noJobError) Error() string { return "run " + e.run + " has no job '" + e.job + "'" }

// sources returns the files that make up a log, in order: of one job its commands'
// logs; else what the driven command printed, which has all, or where jobs ran in
// the driver itself their logs and what the driver had to say.
func (l *logPrinter) sources() ([]source, error) {
	whole := source{path: filepath.Join(l.run.Dir, runstore.LogFile)}
	record, err := l.run.Record()
	if err != nil {
		return nil, err
	}
	if l.job == "" && record.Executor == "quire-ci" {
		return []source{whole}, nil
	}
	jobs, err := runlog.Summarize(l.run.Dir)
	if err != nil {
		return nil, err
	}
	var found []source
	for _, j := range jobs {
		if l.job != "" && l.job != j.ID {
			continue
		}
		mark := ""
		if l.job == "" {
			mark = j.ID + " | "
		}
		for _, c := range j.Commands {
			found = append(found, source{filepath.Join(l.run.Dir, c.Log), true, mark})
		}
	}
	if l.job == "" {
		found = append(found, whole)
	}
	return found, nil
}
