package main

import (
	"context"
	"fmt"

	"quire/lib/cli"
	"quire/lib/push"
	"quire/lib/runstore"
)

const createUsage = `usage: quire-runstate create --repo REPO --git-dir DIR --ref REF --sha SHA
           [--old-sha SHA] [--pusher NAME] [--executor NAME]
Records a pending run and prints its run line.
  --repo REPO            the name of the repository
  --git-dir DIR          its Git directory
  --ref REF              the full name of the ref
  --sha SHA              the commit
  --old-sha SHA          the commit that the ref pointed at before
  --pusher NAME          who pushed
  --executor EXECUTOR    host or quire-ci; default: configuration
` + rootUsage

func (r *rootOption) create(ctx context.Context, e *cli.Env) error {
	fs := r.flags()
	var f runstore.Facts
	fs.StringVar(&f.Repo, "repo", "", "")
	fs.StringVar(&f.GitDir, "git-dir", "", "")
	fs.StringVar(&f.Ref, "ref", "", "")
	fs.StringVar(&f.SHA, "sha", "", "")
	fs.StringVar(&f.PreviousSHA, "old-sha", "", "")
	fs.StringVar(&f.Pusher, "pusher", "", "")
	fs.StringVar(&f.Executor, "executor", "", "")
	f.Trigger = push.ByHand
	s, err := r.begin(e, fs, createUsage, 0, 0, "")
	if err != nil {
		return err
	}
	for _, o := range []struct{ name, value string }{
		{"repo", f.Repo}, {"git-dir", f.GitDir}, {"ref", f.Ref}, {"sha", f.SHA},
	} {
		if o.value == "" {
			return cli.Usagef("missing option '--%s'", o.name)
		}
	}
	if f.Executor == "" {
		if c, err := loadAndWarn(ctx, e, s); err != nil {
			e.Warn("the run has no executor yet: %v", err)
		} else {
			f.Executor = c.For(f.Repo).Executor
		}
	}
	runs, err := s.Create(f)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.Stdout, runstore.RunLine(runs[0], f.Executor))
	return err
}
