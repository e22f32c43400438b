package main

import (
	"errors"

	"quire/lib/cli"
	"quire/lib/diag"
	"quire/lib/runstore"
	"quire/lib/trigger"
)

// note notifies the pusher of one run.
func note(e *cli.Env, r trigger.Run) {
	switch {
	case errors.As(r.Problem, new(*trigger.TestedError)):
		e.Note("complete %s %s: %v", r.ID, r.Ref, r.Problem)
	case r.Gate && r.Problem != nil: // the last line for the pusher says it
	case errors.As(r.Problem, new(diag.List)):
		e.Note("failed %s %s: invalid pipeline, recorded as failed; the push itself was accepted", r.ID, r.Ref)
	case errors.Is(r.Problem, trigger.ErrMissed):
		e.Note("run %s %s exists: it was %s", r.ID, r.Ref, r.Problem)
	case errors.As(r.Problem, new(*runstore.PausedError)):
		e.Note("pending %s %s: %v", r.ID, r.Ref, r.Problem)
	case r.Problem != nil:
		e.Note("%s %s %s", r.Problem, r.ID, r.Ref)
	case r.Executor == "":
		e.Note("pending %s %s, to be dispatched by quire-runstate reconcile", r.ID, r.Ref)
	default:
		e.Note("pending %s %s", r.ID, r.Ref)
	}
	if r.URL != "" {
		e.Note("%s", r.URL)
	}
}
