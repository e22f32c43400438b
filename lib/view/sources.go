package view

import (
	"quire/lib/runlog"
	"quire/lib/runstore"
	"quire/lib/text"
)

// A NoJobError says that a run has no such job.
type NoJobError struct{ Run, Job string }

func (e *NoJobError) Error() string { return "run " + e.Run + " has no job '" + e.Job + "'" }

// HasJob returns a *NoJobError when run has no such job; with future, when it
// cannot get it any more either.
func HasJob(run *runstore.Run, job string, future bool) error {
	status, err := run.Status()
	if err != nil {
		return err
	}
	jobs, err := runlog.Summarize(run.Dir)
	for _, j := range jobs {
		if j.ID == job {
			return nil
		}
	}
	if err != nil || future && !status.State.Final() {
		return err
	}
	return &NoJobError{run.ID, job}
}

// sources returns the files that make up a log, in order: of one job its commands'
// logs; else what the driven command printed, which has all, or where jobs ran in
// the driver itself their logs and what the driver had to say. With an error come
// those that are known nevertheless.
func (l *Log) sources() ([]source, error) {
	whole := source{path: runstore.LogFile}
	record, err := l.run.Record()
	if err != nil {
		return nil, err
	}
	if l.job == "" && record.Executor == "quire-ci" {
		return []source{whole}, nil
	}
	jobs, err := runlog.Summarize(l.run.Dir)
	var found []source
	for _, j := range jobs {
		if l.job != "" && l.job != j.ID {
			continue
		}
		mark := ""
		if l.job == "" {
			mark = text.Escape(j.ID) + " | "
		}
		for _, c := range j.Commands {
			found = append(found, source{c.Log, true, mark})
		}
	}
	if l.job == "" {
		found = append(found, whole)
	}
	return found, err
}
