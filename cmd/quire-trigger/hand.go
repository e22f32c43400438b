package main

import (
	"cmp"
	"context"
	"fmt"

	"quire/lib/cli"
	"quire/lib/push"
	"quire/lib/trigger"
)

// byHand triggers the commit of --ref.
func byHand(ctx context.Context, e *cli.Env, o options) error {
	repo, err := o.repository(e)
	if err != nil {
		return err
	}
	update, err := trigger.Resolve(ctx, repo, o.ref)
	if err != nil {
		return cli.Status(cli.No, err)
	}
	t := o.trigger(e, repo)
	t.Origin, t.Vars = cmp.Or(o.word, push.ByHand), o.vars
	runs, err := t.Make(e.CatchSignals(ctx), []trigger.Update{update})
	if err == nil && len(runs) == 0 {
		return cli.Status(cli.No, fmt.Errorf("no pipeline at '%s'", o.ref))
	}
	return cli.Status(max(showByHand(e, runs), e.Report(err)), nil)
}
