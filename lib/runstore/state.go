package runstore

import (
	"fmt"
	"slices"
	"time"

	"quire/lib/text"
)

// A State says how far a run has come.
type State string

// The states. The table below says what the code does with each.
const (
	Pending    State = "pending"
	Active     State = "active"
	Complete   State = "complete"
	Failed     State = "failed"
	Superseded State = "superseded"
)

// Skipped is shown instead of Failed if the push asked for no run; see Record.Shown. No
// history has it.
const Skipped State = "skipped"

// states are all states in the order of a run's life, beginning with a new run's. A new
// state is a new line here and in quire-run(5).
var states = []struct {
	State
	next     []State // which states may follow; none: the state is final
	verdict  bool    // it says whether the commit is good
	reason   bool    // it has a reason, one of Reasons
	replaced bool    // it has the id of the newer run
}{
	{State: Pending, next: []State{Active, Complete, Failed, Superseded}},
	{State: Active, next: []State{Complete, Failed, Superseded}},
	{State: Complete, verdict: true},
	{State: Failed, verdict: true, reason: true},
	{State: Superseded, replaced: true},
}

// States lists all states, in the order of a life.
var States = func() (all []State) {
	for _, s := range states {
		all = append(all, s.State)
	}
	return all
}()

// at returns the index of s in states, -1 if it is unknown.
func (s State) at() int { return slices.Index(States, s) }

// Final reports whether a run in state s stays in it forever.
func (s State) Final() bool { return s.at() >= 0 && len(states[s.at()].next) == 0 }

// HasReason reports whether a run in state s has a reason.
func (s State) HasReason() bool { return s.at() >= 0 && states[s.at()].reason }

// IsReplaced reports whether a run in state s was replaced by another one.
func (s State) IsReplaced() bool { return s.at() >= 0 && states[s.at()].replaced }

// isVerdict reports whether the state says if the commit is good.
func (s State) isVerdict() bool { return s.at() >= 0 && states[s.at()].verdict }

// Reasons lists the possible reasons of a failed run.
var Reasons = []string{
	"exit", "signal", "timeout", "invalid-pipeline", "materialize", "orphaned", "cancelled", "launcher",
	"internal",
}

// mayBecome reports whether a run in state s may change to next. A new run comes from the
// state "".
func (s State) mayBecome(next State) bool {
	if s == "" {
		return next == States[0]
	}
	return s.at() >= 0 && slices.Contains(states[s.at()].next, next)
}

// A Change is a new state for a run, and the reason for it.
type Change struct {
	State    State
	Reason   string    // for Failed, one of Reasons
	Code     int       // for the reasons exit and signal
	By       string    // for Superseded: the id of the newer run; for Complete: see Record.TestedBy
	Executor string    // if it is not the one in the facts, or that was not known
	Note     string    // a remark for people
	Time     time.Time // Transition replaces zero by the present
	From     State     // the state that the run must be in; "" for any that allows the change
}

// check returns an error for a change with missing or superfluous fields.
func (c Change) check() error {
	switch {
	case !slices.Contains(States, c.State):
		return fmt.Errorf("unknown state '%s'", text.Escape(string(c.State)))
	case c.State.HasReason() && c.Reason == "":
		return fmt.Errorf("a run that is %s needs a reason", c.State)
	case c.State.HasReason() && !slices.Contains(Reasons, c.Reason):
		return fmt.Errorf("unknown reason '%s'", text.Escape(c.Reason))
	case !c.State.HasReason() && (c.Reason != "" || c.Code != 0):
		return fmt.Errorf("a run that is %s has neither a reason nor a code", c.State)
	case c.State.IsReplaced() && !IsID(c.By):
		return fmt.Errorf("a run that is %s needs the id of the run that replaced it", c.State)
	case !c.State.IsReplaced() && c.State != Complete && c.By != "":
		return fmt.Errorf("a run that is %s was not replaced", c.State)
	case c.State == Complete && c.By != "" && !IsID(c.By):
		return fmt.Errorf("not an id: '%s'", text.Escape(c.By))
	}
	return nil
}

// hasCode reports whether the change has an exit status or signal.
func (c Change) hasCode() bool { return c.Reason == "exit" || c.Reason == "signal" }

// A StateError says that a run cannot change as asked. Nothing was written.
type StateError struct {
	ID       string
	From, To State
}

func (e *StateError) Error() string {
	return fmt.Sprintf("cannot change run %s from %s to %s", e.ID, e.From, e.To)
}

// A Status is the state of a run according to its history.
type Status struct {
	Change             // the last one, with the last Executor that a change named
	Created  time.Time // when it became pending
	Started  time.Time // when it became active; zero if it did not
	Finished time.Time // when it became final; zero if it is not
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
