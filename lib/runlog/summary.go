package runlog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// A JobRecord summarises the events of one job. State is "pending" before the job begins,
// "active" until it ends, and then its end state. If the run was killed, it stays at one of
// the first two.
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

	Artifacts []Artifact `json:"artifacts"` // Summarize leaves it empty, see Artifacts

	OutputFile string `json:"output-file,omitempty"` // of a large output, relative to the directory of the run
}

// ReadOutput returns the output of a job as JSON, from its event or its file in the
// directory of the run; nil for no output. An output that is longer than most bytes or is
// not JSON is an error.
func (j JobRecord) ReadOutput(dir string, most int) (json.RawMessage, error) {
	text := []byte(j.Output)
	if j.OutputFile != "" {
		f, err := Open(dir, j.OutputFile)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if text, err = io.ReadAll(io.LimitReader(f, int64(most)+1)); err != nil {
			return nil, err
		}
	}
	if len(text) > most {
		return nil, fmt.Errorf("output of job '%s' is larger than %d bytes", j.ID, most)
	}
	if text != nil && !json.Valid(text) {
		return nil, fmt.Errorf("output of job '%s' is not JSON", j.ID)
	}
	return text, nil
}

// A CommandRecord summarises the events of one command. Exit is nil until the command has
// ended. Log is relative to the directory of the run.
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

// maxRecords is how many jobs and commands of a run are read at most, together.
const maxRecords = 1 << 17

// Summarize returns the jobs of the run whose events are in dir, in the order of the graph.
// It skips lines that are not events; a run without events has no jobs. With an error it
// returns the jobs that were read before it.
func Summarize(dir string) ([]JobRecord, error) {
	s := summary{jobs: map[string]*JobRecord{}, commands: map[commandID]int{}}
	for ev, err := range ReadEvents(dir) {
		var bad *lineError
		switch {
		case err == nil:
			s.add(ev)
		case !errors.As(err, &bad):
			return s.list(), err
		}
	}
	return s.list(), nil
}

// timeOf returns a copy of the time of ev: a pointer into ev would keep all of ev in memory.
func timeOf(ev Event) *time.Time { t := ev.Time; return &t }

type summary struct {
	order    []string // the ids of jobs
	jobs     map[string]*JobRecord
	commands map[commandID]int // the indices of commands in their jobs
	records  int               // of jobs and commands
}

type commandID struct {
	job string
	n   int
}

func (s *summary) list() []JobRecord {
	var list []JobRecord
	for _, id := range s.order {
		list = append(list, *s.jobs[id])
	}
	return list
}

// job returns the record of the job id, which it adds if needed.
func (s *summary) job(id string) *JobRecord {
	j := s.jobs[id]
	if j == nil {
		j = &JobRecord{ID: id, State: "pending", Commands: []CommandRecord{}, Artifacts: []Artifact{}}
		if s.records++; s.records <= maxRecords {
			s.jobs[id] = j
			s.order = append(s.order, id)
		}
	}
	return j
}

func (s *summary) add(ev Event) {
	switch ev.Event {
	case RunStart:
		for _, j := range ev.Jobs {
			s.job(j.ID)
		}
	case JobStart:
		j := s.job(ev.Job)
		j.State, j.Started, j.Attempts = "active", timeOf(ev), 1
	case JobRetry:
		s.job(ev.Job).Attempts = ev.Attempt + 1
	case JobEnd:
		j := s.job(ev.Job)
		j.State, j.Reason, j.Code, j.Error = ev.State, ev.Reason, ev.Code, ev.Error
		j.Allowed, j.Output, j.OutputFile, j.Finished = ev.Allowed, ev.Output, ev.OutputFile, timeOf(ev)
	case ShStart:
		s.start(ev)
	case ShEnd:
		s.end(ev)
	}
}

// start adds the command of ev.
func (s *summary) start(ev Event) {
	j := s.job(ev.Job)
	if s.records++; s.records > maxRecords {
		return
	}
	s.commands[commandID{ev.Job, ev.Sh}] = len(j.Commands)
	j.Commands = append(j.Commands, CommandRecord{
		N: ev.Sh, Cmd: ev.Cmd, Argv: ev.Argv, Started: timeOf(ev), Log: ev.Log,
	})
}

// end ends the command of ev.
func (s *summary) end(ev Event) {
	at, ok := s.commands[commandID{ev.Job, ev.Sh}]
	if !ok {
		return
	}
	c := &s.jobs[ev.Job].Commands[at]
	c.Exit, c.Signal, c.Reason = ev.Exit, ev.Signal, ev.Reason
	c.Truncated, c.Finished = ev.Truncated, timeOf(ev)
}
