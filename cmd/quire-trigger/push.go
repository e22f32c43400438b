package main

import (
	"context"
	"fmt"

	"quire/lib/cli"
	"quire/lib/config"
	"quire/lib/git"
	"quire/lib/trigger"
)

// push triggers what the lines on stdin name.
func push(ctx context.Context, e *cli.Env, o options) error {
	repo, err := o.repository(e)
	if err != nil {
		return err
	}
	code := cli.OK
	updates, err := trigger.ReadUpdates(e.Stdin)
	if err != nil {
		e.Report(err)
		code = cli.Misuse
	}
	if len(updates) == 0 {
		return cli.Status(code, nil)
	}
	runs, err := o.trigger(e, repo).Push(e.CatchSignals(ctx), updates)
	return cli.Status(max(code, show(e, runs), e.Report(err)), nil)
}

// byHand triggers what --ref points at.
func byHand(ctx context.Context, e *cli.Env, o options) error {
	repo, err := o.repository(e)
	if err != nil {
		return err
	}
	update, err := trigger.Resolve(ctx, repo, o.ref)
	if err != nil {
		return cli.Status(cli.No, err)
	}
	runs, err := o.trigger(e, repo).Make(e.CatchSignals(ctx), []trigger.Update{update})
	if err == nil && len(runs) == 0 {
		return cli.Status(cli.No, fmt.Errorf("no pipeline at '%s'", o.ref))
	}
	return cli.Status(max(show(e, runs), e.Report(err)), nil)
}

// missed triggers what pushes should have triggered, in the repository that is
// named, or in all of the root.
func missed(ctx context.Context, e *cli.Env, o options) error {
	repos := []*git.Repo{}
	repo, err := o.repository(e)
	if err == nil {
		repos = append(repos, repo)
	} else if o.gitDir == "" {
		repos, err = trigger.Repos(config.Root(o.root, e.Getenv, nil))
	}
	if err != nil {
		return err
	}
	ctx = e.CatchSignals(ctx)
	code := cli.OK
	for _, repo := range repos {
		runs, err := o.trigger(e, repo).Missed(ctx)
		code = max(code, show(e, runs), e.Report(err))
	}
	return cli.Status(code, nil)
}
