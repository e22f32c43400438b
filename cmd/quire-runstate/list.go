package main

import (
	"cmp"
	"context"

	"golang.org/x/sys/unix"

	"quire/lib/cli"
	"quire/lib/runstore"
	"quire/lib/view"
)

const listUsage = `usage: quire-runstate list [OPTION...]
Lists runs, newest first: id, state, repo, ref, sha, executor, reason, code,
created, started and finished, separated by tabs, - for none.
  --repo REPO            only runs of this repository
  --ref REF              only runs of this ref
  --state STATE,...      only runs in one of these states
  --limit N              at most N runs
  --json                 one JSON object a line
` + rootUsage

func (r *rootOption) list(_ context.Context, e *cli.Env) error {
	fs := r.flags()
	var f runstore.Filter
	fs.StringVar(&f.Repo, "repo", "", "")
	fs.StringVar(&f.Ref, "ref", "", "")
	fs.Var((*stateList)(&f.States), "state", "")
	cli.CountVar(fs, &f.Limit, "limit", 0)
	asJSON := fs.Bool("json", false, "")
	s, err := r.begin(e, fs, listUsage, 0, 0, "")
	if err != nil {
		return err
	}
	notePaused(e, s)
	out := view.NewList(e.Stdout)
	switch {
	case *asJSON:
		out = view.NewJSONList(e.Stdout)
	case e.Terminal():
		return listOnScreen(e, s, f)
	}
	code := cli.OK
	for rec, err := range s.List(f) {
		if err != nil {
			e.Report(err)
			code = cli.Failure
			continue
		}
		if err := out.Print(rec); err != nil {
			return err
		}
	}
	return cmp.Or(out.Flush(), status(code))
}

// listOnScreen lists the newest runs that fit on the terminal, or as many as --limit says.
func listOnScreen(e *cli.Env, s *runstore.Store, f runstore.Filter) error {
	screen, code := view.Screen{Columns: 80}, cli.OK
	if size, err := unix.IoctlGetWinsize(1, unix.TIOCGWINSZ); err == nil && size.Col > 0 {
		screen.Columns = int(size.Col)
		if f.Limit == 0 {
			screen.Rows = max(1, int(size.Row)-3) // for the heading, the last line and the prompt
		}
	}
	for rec, err := range s.List(f) {
		if err != nil {
			e.Report(err)
			code = cli.Failure
			continue
		}
		screen.Add(rec)
	}
	if err := screen.Write(e.Stdout); err != nil {
		return err
	}
	return status(code)
}
