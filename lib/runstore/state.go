package runstore

import (
	"fmt"
	"slices"
	"time"

	"quire/lib/text"
)

// A State is where a run is in its life.
type State string

// The states. The last three are final.
const (
	Pending    State = "pending"
	Active     State = "active"
	Complete   State = "complete"
	Failed     State = "failed"
	Superseded State = "superseded"
)

// States lists all states, in the order of a life.
var States = []State{Pending, Active, Complete, Failed, Superseded}

// Final reports whether a run in state s stays in it for ever.
func (s State) Final() bool { return s == Complete || s == Failed || s == Superseded }

// Reasons lists what a failed run may carry as its reason.
var Reasons = []string{
	"exit", "signal", "timeout", "invalid-pipeline", "materialize", "orphaned", "cancelled", "launcher",
	"internal",
}

// mayBecome reports whether a run that is s, "" for none, may be to next.
func (s State) mayBecome(next State) bool {
	switch s {
	case "":
		return next == Pending
	case Pending:
		return next == Active || next.Final()
	case Active:
		return next.Final()
	}
	return false
}

// A Change is a new state for a run, and why.
type Change struct {
	State    State
	Reason   string    // of Failed, one of Reasons
	Code     int       // of the reasons exit and signal
	By       string    // of Superseded: the id of the newer run
	Executor string    // where it is not the one in the facts, or was not known
	Note     string    // a remark for people
	Time     time.Time // Transition puts the present for the zero time
	From     State     // what the run must be in for the change to be made; "" for whatever allows it
}

// check returns an error for a change that says too little or too much.
func (c Change) check() error {
	switch {
	case !slices.Contains(States, c.State):
		return fmt.Errorf("unknown state '%s'", text.Escape(string(c.State)))
	case c.State == Failed && c.Reason == "":
		return fmt.Errorf("a failed run needs a reason")
	case c.State == Failed && !slices.Contains(Reasons, c.Reason):
		return fmt.Errorf("unknown reason '%s'", text.Escape(c.Reason))
	case c.State != Failed && (c.Reason != "" || c.Code != 0):
		return fmt.Errorf("only a failed run has a reason or a code, not one that is %s", c.State)
	case c.State == Superseded && !IsID(c.By):
		return fmt.Errorf("a superseded run needs the id of the one that replaced it")
	case c.State != Superseded && c.By != "":
		return fmt.Errorf("only a superseded run was replaced, not one that is %s", c.State)
	}
	return nil
}

// hasCode reports whether the change has a status to tell.
func (c Change) hasCode() bool { return c.Reason == "exit" || c.Reason == "signal" }

// A StateError says that a run cannot change as asked. Nothing was written.
type StateError struct {
	ID       string
	From, To State
}

func (e *StateError) Error() string {
	return fmt.Sprintf("cannot change run %s from %s to %s", e.ID, e.From, e.To)
}

// A Status is what the history of a run says of it.
type Status struct {
	Change             // the last one; Executor is the last that a change named
	Created  time.Time // when it became pending
	Started  time.Time // when it became active; zero where it did not
	Finished time.Time // when it became final; zero where it is not
}

// apply adds a change to the status.
func (s *Status) apply(c Change) {
	if c.Executor == "" {
		c.Executor = s.Executor
	}
	s.Change = c
	switch {
	case c.State == Pending:
		s.Created = c.Time
	case c.State == Active:
		s.Started = c.Time
	case c.State.Final():
		s.Finished = c.Time
	}
}
