package main

import (
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

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
		e.Note("to follow it: %s log -f %s", reader(e), r[0].ID)
	}
	if more := len(runs) - maxNotes; more > 0 {
		e.Note("and %d more, see quire-runstate list", more)
	}
	return code
}

// reader returns the command for a pusher to read runs. git-shell(1) allows only the commands
// in the directory git-shell-commands.
func reader(e *cli.Env) string {
	ci := filepath.Join(e.Getenv("HOME"), "git-shell-commands/ci")
	if e.Getenv("SSH_CONNECTION") != "" && unix.Access(ci, unix.X_OK) == nil {
		return "ssh HOST ci"
	}
	return "quire-runstate"
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
