package main

import (
	"context"
	"slices"

	"quire/lib/cli"
	"quire/lib/notify"
	"quire/lib/runstore"
)

const transitionUsage = `usage: quire-runstate transition [OPTION...] ID STATE
Changes the state of a run to active, complete, failed or superseded.
  --reason REASON        why it failed; default exit if --code, else internal
  --code N               the exit status, or 128+N with reason signal
  --by ID                the run that superseded it
  --note TEXT            a remark for people
` + rootUsage

func (r *rootOption) transition(_ context.Context, e *cli.Env) error {
	var c runstore.Change
	var by string
	fs := r.flags()
	fs.StringVar(&c.Reason, "reason", "", "")
	fs.IntVar(&c.Code, "code", 0, "")
	fs.StringVar(&by, "by", "", "")
	fs.StringVar(&c.Note, "note", "", "")
	if err := optionsFirst(e, fs); err != nil {
		return err
	}
	s, err := r.begin(e, fs, transitionUsage, 2, 2, "ID STATE")
	if err != nil {
		return err
	}
	c.State = runstore.State(e.Args[1])
	if c.State.HasReason() && c.Reason == "" {
		c.Reason = "internal"
		if c.Code != 0 {
			c.Reason = "exit"
		}
	}
	switch {
	case !slices.Contains(runstore.States, c.State):
		return cli.Usagef("unknown state '%s', the states are %s", c.State, joinStates())
	case c.Reason != "" && !slices.Contains(runstore.Reasons, c.Reason):
		return cli.Usagef("unknown reason '%s'", c.Reason)
	case !c.State.HasReason() && (c.Reason != "" || c.Code != 0):
		return cli.Usagef("options '--reason' and '--code' are for failed")
	case c.State.IsReplaced() != (by != ""):
		return cli.Usagef("superseded, and nothing else, needs option '--by'")
	}
	if by != "" {
		newer, err := s.Find(by)
		if err != nil {
			return err
		}
		c.By = newer.ID
	}
	run, err := s.Find(e.Args[0])
	if err != nil {
		return err
	}
	if err := run.Transition(c); err != nil {
		return err
	}
	if c.State == runstore.Active {
		if err := notify.Started(s, run); err != nil {
			e.Warn("%v", err)
		}
	}
	return nil
}
