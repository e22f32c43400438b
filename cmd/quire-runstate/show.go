package main

import (
	"context"

	"quire/lib/cli"
	"quire/lib/view"
)

const showUsage = `usage: quire-runstate show [--json] ID
Shows the facts of a run, its history, its jobs, and why it is where it is.
`

func (r *rootOption) show(_ context.Context, e *cli.Env) error {
	fs := r.flags()
	asJSON := fs.Bool("json", false, "")
	if err := e.Parse(fs, showUsage); err != nil {
		return err
	}
	run, err := r.openFor(e)
	if err != nil {
		return err
	}
	v, err := view.Of(run)
	if err != nil {
		return err
	}
	if *asJSON {
		return v.WriteJSON(e.Stdout)
	}
	return v.WriteText(e.Stdout)
}
