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

// A NoJobError says that a run does not have a job.
type NoJobError struct{ Run, Job string }

func (e *NoJobError) Error() string { return "run " + e.Run + " has no job '" + e.Job + "'" }

// HasJob returns a *NoJobError if run does not have the job. With future, it returns it only
// if the run has ended, because until then the job may still appear.
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

// sources returns the files of a log, in order: for one job the logs of its commands,
// otherwise the combined log. An older quire wrote no combined log for a run that it drove
// itself; for such a run these are the logs of all commands. With an error, sources still
// returns the known files.
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
