package view

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

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

// sources returns the files that make up a log, in order: of one job its commands' logs,
// else the combined log. An older quire wrote no combined log of a run that it drove
// itself; then these are the logs of all commands. With an error, it returns the
// sources that are known nevertheless.
func (l *Log) sources() ([]source, error) {
	if l.job == "" && !l.withoutCombined() {
		return []source{{path: runstore.LogFile}}, nil
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
	return found, err
}

// withoutCombined reports whether the run has ended and has no combined log.
func (l *Log) withoutCombined() bool {
	_, err := os.Lstat(filepath.Join(l.run.Dir, runstore.LogFile))
	status, unknown := l.run.Status()
	return errors.Is(err, fs.ErrNotExist) && unknown == nil && status.State.Final()
}
