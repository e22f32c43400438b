package main

import (
	"errors"
	"fmt"

	"quire/lib/cli"
	"quire/lib/diag"
	"quire/lib/runstore"
	"quire/lib/trigger"
)

// show prints the run lines, tells the pusher of all runs, and returns the code.
func show(e *cli.Env, runs []trigger.Run) int {
	code := cli.OK
	told := map[string]bool{} // many refs may have one and the same pipeline
	for _, r := range runs {
		var list diag.List
		switch {
		case errors.As(r.Problem, &list):
			if !told[list.Error()] {
				e.Report(list)
				told[list.Error()] = true
			}
			e.Note("failed %s %s: invalid pipeline", r.ID, r.Ref)
			code = cli.No
		case r.Problem != nil:
			e.Note("%s %s %s", r.Problem, r.ID, r.Ref)
		case r.Executor == "":
			e.Note("pending %s %s, to be dispatched by quire-runstate reconcile", r.ID, r.Ref)
		default:
			fmt.Fprintln(e.Stdout, runstore.RunLine(r.Run, r.Executor))
			e.Note("pending %s %s", r.ID, r.Ref)
		}
	}
	return code
}
