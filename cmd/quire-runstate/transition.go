package main

import (
	"context"
	"flag"
	"slices"

	"quire/lib/cli"
	"quire/lib/runstore"
)

const transitionUsage = `usage: quire-runstate transition [OPTION...] ID STATE [OPTION...]
Changes the state of a run to active, complete, failed or superseded.
  --reason REASON  why it failed; exit where --code is given, else internal
  --code N         the exit status, with reason exit; 128+N with reason signal
  --by ID          the run that superseded it
  --note TEXT      a remark for people
`

func (r *rootOption) transition(_ context.Context, e *cli.Env) error {
	var c runstore.Change
	var by string
	flags := func() *flag.FlagSet {
		fs := r.flags()
		fs.StringVar(&c.Reason, "reason", c.Reason, "")
		fs.IntVar(&c.Code, "code", c.Code, "")
		fs.StringVar(&by, "by", by, "")
		fs.StringVar(&c.Note, "note", c.Note, "")
		return fs
	}
	if err := e.Parse(flags(), transitionUsage); err != nil {
		return err
	}
	if err := e.Operands(2, -1, "ID STATE"); err != nil {
		return err
	}
	id := e.Args[0]
	c.State = runstore.State(e.Args[1])
	e.Args = e.Args[2:]
	if err := e.Parse(flags(), transitionUsage); err != nil { // options behind the operands
		return err
	}
	if err := e.Operands(0, 0, ""); err != nil {
		return err
	}
	if c.State == runstore.Failed && c.Reason == "" {
		c.Reason = "internal"
		if c.Code != 0 {
			c.Reason = "exit"
		}
	}
	switch {
	case !slices.Contains(runstore.States, c.State):
		return cli.Usagef("unknown state '%s'", c.State)
	case c.Reason != "" && !slices.Contains(runstore.Reasons, c.Reason):
		return cli.Usagef("unknown reason '%s'", c.Reason)
	case c.State != runstore.Failed && (c.Reason != "" || c.Code != 0):
		return cli.Usagef("options '--reason' and '--code' are for failed")
	case (c.State == runstore.Superseded) != (by != ""):
		return cli.Usagef("superseded, and nothing else, needs option '--by'")
	}
	s, err := r.open(e)
	if err != nil {
		return err
	}
	if by != "" {
		newer, err := s.Find(by)
		if err != nil {
			return err
		}
		c.By = newer.ID
	}
	run, err := s.Find(id)
	if err != nil {
		return err
	}
	return run.Transition(c)
}
