package main

import (
	"context"
	"errors"
	"fmt"

	"quire/lib/cli"
	"quire/lib/config"
	"quire/lib/diag"
	"quire/lib/git"
	"quire/lib/runstore"
	"quire/lib/trigger"
)

// push triggers what the lines on stdin, or --ref, name.
func push(ctx context.Context, e *cli.Env, o options) error {
	if o.gitDir == "" {
		o.gitDir = e.Getenv("GIT_DIR")
	}
	if o.gitDir == "" {
		return cli.Usagef("no repository: neither --git-dir nor GIT_DIR is given")
	}
	repo, err := git.Open(o.gitDir)
	if err != nil {
		return err
	}
	var updates []trigger.Update
	code := cli.OK
	if o.ref != "" {
		if updates, err = trigger.Resolve(ctx, repo, o.ref); err != nil {
			return cli.Status(cli.No, err)
		}
	} else if updates, err = trigger.ReadUpdates(e.Stdin); err != nil {
		e.Report(err)
		code = cli.Misuse
	}
	if len(updates) == 0 {
		return cli.Status(code, nil)
	}
	root := config.Root(o.root, e.Getenv, repo.Config)
	store, err := runstore.Open(root)
	if err != nil {
		return err
	}
	t := trigger.Trigger{Root: root, Store: store, Repo: repo}
	t.FromEnv(e.Getenv)
	runs, err := t.Push(ctx, updates)
	code = max(code, show(e, runs))
	if err != nil {
		return cli.Status(cli.Failure, err)
	}
	if o.ref != "" && len(runs) == 0 {
		return cli.Status(cli.No, fmt.Errorf("no pipeline at '%s'", o.ref))
	}
	return cli.Status(code, nil)
}

// show prints the run lines, tells the pusher of all runs, and returns the code.
func show(e *cli.Env, runs []trigger.Run) int {
	code := cli.OK
	told := map[string]bool{} // many refs may have one and the same pipeline
	for _, r := range runs {
		var list diag.List
		switch {
		case errors.As(r.Problem, &list):
			if !told[list.Error()] {
				e.Report(list)
				told[list.Error()] = true
			}
			e.Note("failed %s %s: invalid pipeline", r.ID, r.Ref)
			code = cli.No
		case r.Problem != nil:
			e.Note("%s %s %s", r.Problem, r.ID, r.Ref)
		case r.Executor == "":
			e.Note("pending %s %s, to be dispatched by quire-runstate reconcile", r.ID, r.Ref)
		default:
			fmt.Fprintln(e.Stdout, runstore.RunLine(r.Run, r.Executor))
			e.Note("pending %s %s", r.ID, r.Ref)
		}
	}
	return code
}
