package runstore

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"quire/lib/text"
)

// A Record is the summary of a run in one line.
type Record struct {
	ID       string
	State    State
	Repo     string
	Ref      string
	SHA      string
	Executor string // "" if unknown
	Reason   string
	Code     *int // nil if the reason has none
	Created  time.Time
	Started  time.Time // zero if it did not start
	Finished time.Time // zero if it has not ended
	Gate     bool      // see Facts
	Skipped  bool      // see Facts
	TestedBy string    // the id of the earlier run whose result a complete run has; "" if its own jobs ran
}

// Shown returns the state for people: Skipped instead of Failed.
func (r Record) Shown() State {
	if r.Skipped {
		return Skipped
	}
	return r.State
}

// Refused reports whether Git refused the push of the run, which never reached its ref.
func (r Record) Refused() bool { return r.Gate && r.State == Failed }

// isVerdict reports whether the run says if a commit of its ref is good.
func (r Record) isVerdict() bool { return r.State.isVerdict() && !r.Skipped && !r.Refused() }

// recordFields are the names of the fields of a record line, in order.
var recordFields = []string{
	"id", "state", "repo", "ref", "sha", "executor", "reason", "code", "created", "started", "finished",
}

// recordWith returns the record of the run with the status s.
func (r *Run) recordWith(s Status) Record {
	rec := Record{
		ID: r.ID, State: s.State, Repo: r.Repo, Ref: r.Ref, SHA: r.SHA, Executor: r.Executor,
		Reason: s.Reason, Created: s.Created, Started: s.Started, Finished: s.Finished,
		Gate: r.Gate, Skipped: r.Skipped,
	}
	if s.Executor != "" {
		rec.Executor = s.Executor
	}
	if s.hasCode() {
		rec.Code = &s.Code
	}
	if s.State == Complete {
		rec.TestedBy = s.By
	}
	return rec
}

// Record returns the current record of the run.
func (r *Run) Record() (Record, error) {
	s, err := r.Status()
	if err != nil {
		return Record{}, err
	}
	return r.recordWith(s), nil
}

func (r Record) fields() []string {
	code := ""
	if r.Code != nil {
		code = strconv.Itoa(*r.Code)
	}
	return []string{
		r.ID, string(r.State), r.Repo, r.Ref, r.SHA, r.Executor, r.Reason, code,
		optionalTime(r.Created), optionalTime(r.Started), optionalTime(r.Finished),
	}
}

func optionalTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return formatTime(t)
}

// same reports whether two records have the same line in the journal.
func (r Record) same(other Record) bool {
	return r.Line() == other.Line() && r.marks() == other.marks()
}

// Line returns the record as one line without its newline: the fields of quire-run(5),
// escaped, separated by tabs, "-" for none.
func (r Record) Line() string {
	fields := r.fields()
	for i, f := range fields {
		fields[i] = text.Field(f)
	}
	return strings.Join(fields, "\t")
}

// parseRecord reads a line from Line or journalLine. It ignores unknown fields at the
// end.
func parseRecord(line string) (Record, error) {
	f := strings.Split(line, "\t")
	if len(f) < len(recordFields) {
		return Record{}, fmt.Errorf("not a record: '%s'", line)
	}
	for i := range f {
		f[i] = text.Unfield(f[i])
	}
	r := Record{
		ID: f[0], State: State(f[1]), Repo: f[2], Ref: f[3], SHA: f[4], Executor: f[5], Reason: f[6],
	}
	for _, mark := range f[min(len(f), len(recordFields)+1):] {
		switch tested, ok := strings.CutPrefix(mark, testedMark); {
		case ok:
			r.TestedBy = tested
		case mark == gateMark:
			r.Gate = true
		case mark == skippedMark:
			r.Skipped = true
		}
	}
	if !IsID(r.ID) {
		return Record{}, fmt.Errorf("not a record: '%s'", line)
	}
	if f[7] != "" {
		code, err := strconv.Atoi(f[7])
		if err != nil {
			return Record{}, fmt.Errorf("not a record: '%s'", line)
		}
		r.Code = &code
	}
	for i, t := range []*time.Time{&r.Created, &r.Started, &r.Finished} {
		if f[8+i] == "" {
			continue
		}
		var err error
		if *t, err = time.Parse(time.RFC3339, f[8+i]); err != nil {
			return Record{}, fmt.Errorf("not a record: '%s'", line)
		}
	}
	return r, nil
}

// MarshalJSON writes the record with the names of recordFields, null for none, followed by
// gate, skipped and tested-by. Values that are not UTF-8, which JSON cannot hold, are
// escaped as in a line.
func (r Record) MarshalJSON() ([]byte, error) {
	v := struct {
		ID       string  `json:"id"`
		State    State   `json:"state"`
		Repo     string  `json:"repo"`
		Ref      string  `json:"ref"`
		SHA      string  `json:"sha"`
		Executor *string `json:"executor"`
		Reason   *string `json:"reason"`
		Code     *int    `json:"code"`
		Created  *string `json:"created"`
		Started  *string `json:"started"`
		Finished *string `json:"finished"`
		Gate     bool    `json:"gate"`
		Skipped  bool    `json:"skipped"`
		TestedBy *string `json:"tested-by"`
	}{
		ID: r.ID, State: r.State, Repo: JSONText(r.Repo), Ref: JSONText(r.Ref), SHA: r.SHA,
		Executor: orNull(JSONText(r.Executor)), Reason: orNull(r.Reason), Code: r.Code,
		Created: orNull(optionalTime(r.Created)), Started: orNull(optionalTime(r.Started)), Finished: orNull(optionalTime(r.Finished)),
		Gate: r.Gate, Skipped: r.Skipped, TestedBy: orNull(r.TestedBy),
	}
	return json.Marshal(v)
}

// JSONText returns s for JSON: escaped, if it is not UTF-8.
func JSONText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return text.Escape(s)
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// RunLine returns the line that passes a run from one command to the next, without its
// newline, see quire-run(5).
func RunLine(r *Run, executor string) string {
	fields := []string{r.ID, executor, r.SHA, r.Ref, r.Dir, r.GitDir}
	for i, f := range fields {
		fields[i] = text.Field(f)
	}
	return strings.Join(fields, "\t")
}
