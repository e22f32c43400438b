package main

import (
	"errors"
	"io"
	"slices"
	"strings"

	"quire/lib/cli"
	"quire/lib/diag"
	"quire/lib/runstore"
	"quire/lib/trigger"
)

// maxNotes is the most runs that the pusher is notified of by name. More would scroll
// compile errors out of sight, and each line is a packet to the pusher.
const maxNotes = 20

// show prints the run lines, notifies the pusher of the runs, and returns the code.
func show(e *cli.Env, runs []trigger.Run) int {
	code := report(e, runs)
	var lines strings.Builder // written at once
	for _, r := range runs {
		if r.Executor != "" {
			lines.WriteString(runstore.RunLine(r.Run, r.Executor) + "\n")
		}
	}
	_, err := io.WriteString(e.Stdout, lines.String())
	return max(code, e.Report(err))
}

// report notifies the pusher of the runs, and returns the code.
func report(e *cli.Env, runs []trigger.Run) int {
	code, told := cli.OK, map[string]bool{} // many refs may have the same pipeline
	for i, r := range runs {
		var list diag.List
		if errors.As(r.Problem, &list) {
			if text := list.Error(); !told[text] {
				e.Report(list)
			}
			code, told[list.Error()] = cli.No, true
		}
		if i < maxNotes {
			note(e, r)
		}
	}
	if r := runs; len(r) == 1 && r[0].Executor != "" && r[0].URL == "" && !r[0].Gate {
		e.Note("to follow it: quire-runstate log -f %s", r[0].ID)
	}
	if more := len(runs) - maxNotes; more > 0 {
		e.Note("and %d more, see quire-runstate list", more)
	}
	return code
}

// showByHand is show for a run that a person asked for. If no command reads the run
// lines, it says how to drive the run.
func showByHand(e *cli.Env, runs []trigger.Run) int {
	code := show(e, runs)
	if e.Terminal() && slices.ContainsFunc(runs, func(r trigger.Run) bool { return r.Executor != "" }) {
		e.Note("the run waits for quire-runstate reconcile; to start it at once, append: | quire-dispatch")
	}
	return code
}

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
