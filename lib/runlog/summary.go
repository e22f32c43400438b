package runlog

import (
	"encoding/json"
	"errors"
	"time"
)

// A JobRecord is what the events say of one job. State is "pending" before the
// job began, "active" until it has ended, and then how it ended; where the run
// was killed it stays at one of the first two.
type JobRecord struct {
	ID       string          `json:"id"`
	State    string          `json:"state"`
	Reason   string          `json:"reason,omitempty"`
	Code     int             `json:"code,omitempty"`
	Error    string          `json:"error,omitempty"`
	Allowed  bool            `json:"allowed,omitempty"`
	Attempts int             `json:"attempts,omitempty"`
	Started  *time.Time      `json:"started"`
	Finished *time.Time      `json:"finished"`
	Output   json.RawMessage `json:"output,omitempty"`
	Commands []CommandRecord `json:"commands"`

	OutputFile string `json:"output-file,omitempty"` // of a large output, relative to the directory of the run
}

// ReadOutput returns the output of a job as JSON, from wherever in the directory of
// the run it is; nil for none.
func (j JobRecord) ReadOutput(dir string) (json.RawMessage, error) {
	if j.OutputFile == "" {
		return j.Output, nil
	}
	return readAll(dir, j.OutputFile, maxEvents)
}

// A CommandRecord is what the events say of one command. Exit is nil until it
// has ended. Log is relative to the directory of the run.
type CommandRecord struct {
	N         int        `json:"n"`
	Cmd       string     `json:"cmd"`
	Argv      []string   `json:"argv,omitempty"`
	Exit      *int       `json:"exit"`
	Signal    string     `json:"signal,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	Truncated bool       `json:"truncated,omitempty"`
	Started   *time.Time `json:"started"`
	Finished  *time.Time `json:"finished"`
	Log       string     `json:"log"`
}

// Summarize returns the jobs of the run whose events are in dir, in the order of
// the graph. Lines that are no events are passed over; a run without events has
// no jobs.
func Summarize(dir string) ([]JobRecord, error) {
	var s summary
	for ev, err := range ReadEvents(dir) {
		var bad *LineError
		switch {
		case err == nil:
			s.add(ev)
		case !errors.As(err, &bad):
			return nil, err
		}
	}
	return s.jobs, nil
}

type summary struct{ jobs []JobRecord }

// job returns the record of the job id, a new one where there is none.
func (s *summary) job(id string) *JobRecord {
	for i := range s.jobs {
		if s.jobs[i].ID == id {
			return &s.jobs[i]
		}
	}
	s.jobs = append(s.jobs, JobRecord{ID: id, State: "pending", Commands: []CommandRecord{}})
	return &s.jobs[len(s.jobs)-1]
}

func (s *summary) add(ev Event) {
	switch ev.Event {
	case RunStart:
		for _, j := range ev.Jobs {
			s.job(j.ID)
		}
	case JobStart:
		j := s.job(ev.Job)
		j.State, j.Started, j.Attempts = "active", &ev.Time, 1
	case JobRetry:
		s.job(ev.Job).Attempts = ev.Attempt + 1
	case JobEnd:
		j := s.job(ev.Job)
		j.State, j.Reason, j.Code, j.Error = ev.State, ev.Reason, ev.Code, ev.Error
		j.Allowed, j.Output, j.OutputFile, j.Finished = ev.Allowed, ev.Output, ev.OutputFile, &ev.Time
	case ShStart:
		j := s.job(ev.Job)
		j.Commands = append(j.Commands, CommandRecord{
			N: ev.Sh, Cmd: ev.Cmd, Argv: ev.Argv, Started: &ev.Time, Log: ev.Log,
		})
	case ShEnd:
		s.command(ev)
	}
}

// command ends the command that ev is about, which is the last of its job.
func (s *summary) command(ev Event) {
	j := s.job(ev.Job)
	for i := len(j.Commands) - 1; i >= 0; i-- {
		if c := &j.Commands[i]; c.N == ev.Sh {
			c.Exit, c.Signal, c.Reason = ev.Exit, ev.Signal, ev.Reason
			c.Truncated, c.Finished = ev.Truncated, &ev.Time
			return
		}
	}
}
