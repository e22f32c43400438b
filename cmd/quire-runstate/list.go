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
  --repo REPO    only those of a repository
  --ref REF      only those of a ref
  --state A,B    only those in one of these states
  --limit N      at most N
  --json         one JSON object a line
  --count        how many there are in each state instead
`

func (r *rootOption) list(_ context.Context, e *cli.Env) error {
	fs := r.flags()
	var f runstore.Filter
	var states string
	fs.StringVar(&f.Repo, "repo", "", "")
	fs.StringVar(&f.Ref, "ref", "", "")
	fs.StringVar(&states, "state", "", "")
	fs.IntVar(&f.Limit, "limit", 0, "")
	asJSON := fs.Bool("json", false, "")
	count := fs.Bool("count", false, "")
	if err := e.Parse(fs, listUsage); err != nil {
		return err
	}
	if err := e.Operands(0, 0, ""); err != nil {
		return err
	}
	if f.Limit < 0 {
		return cli.Usagef("bad value '%d' of option '--limit': negative", f.Limit)
	}
	var err error
	if f.States, err = parseStates(states); err != nil {
		return err
	}
	s, err := r.open(e)
	if err != nil {
		return err
	}
	if *count {
		return printCounts(e, s)
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
