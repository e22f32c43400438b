package main

import (
	"context"

	"quire/lib/cli"
	"quire/lib/view"
)

const showUsage = `usage: quire-runstate show [--json] ID
Shows the facts of a run, its history, its jobs, and why it is in its state.
  --json                 one JSON object
` + rootUsage

func (r *rootOption) show(ctx context.Context, e *cli.Env) error {
	fs := r.flags()
	asJSON := fs.Bool("json", false, "")
	s, run, err := r.beginRun(e, fs, showUsage, 1, "ID")
	if err != nil {
		return err
	}
	v, err := view.Read(run)
	if err != nil {
		return err
	}
	if *asJSON {
		c, err := loadConfig(ctx, s)
		if err != nil {
			e.Warn("the address of its page is not known: %v", err)
		}
		v.URL = c.For(run.Repo).RunURL(run.Repo, run.ID)
		return v.WriteJSON(e.Stdout)
	}
	if e.Terminal() {
		return v.WriteScreen(e.Stdout)
	}
	return v.WriteText(e.Stdout)
}
