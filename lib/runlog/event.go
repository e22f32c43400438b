package runlog

import (
	"bytes"
	"encoding/json"
	"time"
)

// Version is the version of the format of events.jsonl; see quire-events(5).
const Version = 1

// The events of a run.
const (
	RunStart = "run-start"
	RunEnd   = "run-end"
	JobStart = "job-start"
	JobRetry = "job-retry"
	JobEnd   = "job-end"
	ShStart  = "sh-start"
	ShEnd    = "sh-end"
	JobLog   = "log"
)

// The states of a job that has ended.
const (
	Complete = "complete"
	Failed   = "failed"
	Skipped  = "skipped"
)

// AfterGate is the reason of a job that a gate run skipped because it runs after the push.
const AfterGate = "gate"

// An Event is one line of events.jsonl. quire-events(5) lists the fields of each event; the
// others are zero.
type Event struct {
	Time  time.Time `json:"time"`
	Event string    `json:"event"`
	Job   string    `json:"job,omitempty"`
	Sh    int       `json:"sh,omitempty"`

	Version  int     `json:"version,omitempty"`
	Run      string  `json:"run,omitempty"`
	Repo     string  `json:"repo,omitempty"`
	Ref      string  `json:"ref,omitempty"`
	SHA      string  `json:"sha,omitempty"`
	Pipeline string  `json:"pipeline,omitempty"`
	Jobs     jobList `json:"jobs,omitempty"`

	Cmd  string   `json:"cmd,omitempty"`
	Argv []string `json:"argv,omitempty"`
	Cwd  string   `json:"cwd,omitempty"`
	File string   `json:"file,omitempty"`
	Line int      `json:"line,omitempty"`
	Log  string   `json:"log,omitempty"`

	Exit      *int   `json:"exit,omitempty"`
	Signal    string `json:"signal,omitempty"`
	Truncated bool   `json:"truncated,omitempty"`

	State   string          `json:"state,omitempty"`
	Reason  string          `json:"reason,omitempty"`
	Code    int             `json:"code,omitempty"`
	Error   string          `json:"error,omitempty"`
	Allowed bool            `json:"allowed,omitempty"`
	Attempt int             `json:"attempt,omitempty"`
	Output  json.RawMessage `json:"output,omitempty"`

	OutputFile string `json:"output-file,omitempty"`

	Text string `json:"text,omitempty"`
}

// A jobList is the list of jobs in the first event.
type jobList []JobID

// UnmarshalJSON reads at most as many jobs as a summary has, so that a short text cannot use
// much memory.
func (l *jobList) UnmarshalJSON(text []byte) error {
	in := json.NewDecoder(bytes.NewReader(text))
	if open, err := in.Token(); err != nil || open != json.Delim('[') {
		return err
	}
	for in.More() && len(*l) < maxRecords {
		var j JobID
		if err := in.Decode(&j); err != nil {
			return err
		}
		*l = append(*l, j)
	}
	return nil
}

// A JobID is a job in the first event.
type JobID struct {
	ID     string   `json:"id"`
	Inputs []string `json:"inputs"`
}
