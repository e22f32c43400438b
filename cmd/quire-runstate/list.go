package main

import (
	"context"

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
	out := view.Lines(e.Stdout)
	switch {
	case *asJSON:
		out = view.Objects(e.Stdout)
	case e.Terminal():
		out = view.Table(e.Stdout)
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
	if err := out.Flush(); err != nil {
		return err
	}
	return status(code)
}
