package main

import (
	"context"
	"errors"
	"path/filepath"

	"quire/lib/cli"
	"quire/lib/config"
	"quire/lib/git"
	"quire/lib/repos"
	"quire/lib/trigger"
)

// afterPush triggers the refs in the lines on stdin.
func afterPush(ctx context.Context, e *cli.Env, o options) error {
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
	if foreign, ok := errors.AsType[*trigger.ForeignRootError](err); ok {
		e.Note("%v", foreign)
		return cli.Status(code, nil)
	}
	return cli.Status(max(code, show(e, runs), e.Report(err)), nil)
}

// missed triggers the pushes that were missed, in the repository of --git-dir or GIT_DIR,
// or in all of the root. A dangling entry of repos/ is an error, but the others are still
// checked.
func missed(ctx context.Context, e *cli.Env, o options) error {
	list := []*git.Repo{}
	repo, err := o.repository(e)
	if err == nil {
		list = append(list, repo)
	} else if o.gitDir == "" {
		root := config.Root(o.root, e.Getenv, git.ConfigHere)
		list, err = repos.List(root)
		if len(list) == 0 && err == nil {
			e.Note("found no repository in '%s': --install-hook links one there", filepath.Join(root, "repos"))
		}
	} else {
		return err
	}
	ctx = e.CatchSignals(ctx)
	code := e.Report(err)
	for _, repo := range list {
		runs, err := o.trigger(e, repo).Missed(ctx)
		code = max(code, show(e, runs), e.Report(err))
	}
	return cli.Status(code, nil)
}
