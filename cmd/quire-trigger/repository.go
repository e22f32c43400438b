package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"quire/lib/cli"
	"quire/lib/config"
	"quire/lib/diag"
	"quire/lib/git"
	"quire/lib/hook"
	"quire/lib/notify"
	"quire/lib/push"
	"quire/lib/repos"
	"quire/lib/trigger"
)

// repository opens the repository of --git-dir, or else GIT_DIR.
func (o options) repository(e *cli.Env) (*git.Repo, error) {
	dir := o.gitDir
	if dir == "" {
		dir = e.Getenv("GIT_DIR")
	}
	if dir == "" {
		return nil, cli.Usagef("no repository: neither --git-dir nor GIT_DIR is given")
	}
	return git.Open(dir)
}

// trigger returns the trigger of a repository, with the pusher and the push options from
// the environment.
func (o options) trigger(e *cli.Env, repo *git.Repo) *trigger.Trigger {
	root := func() string { return config.Root(o.root, e.Getenv, repo.Config) }
	t := &trigger.Trigger{Root: root, Repo: repo, OnEnd: notify.Ended, Warn: func(l diag.List) { e.Report(l) },
		Note: func(text string) { e.Note("%s", text) }, Origin: push.ByPush}
	for _, w := range t.FromEnv(e.Getenv) {
		if !o.gate { // post-receive shows them
			e.Warn("%s", w)
		}
	}
	return t
}

// hook calls do with the repository of the command line and its hook. For a linked
// working tree it uses the main repository's.
func (o options) hook(ctx context.Context, e *cli.Env, verb string, do func(*git.Repo, *hook.Hook) error) error {
	o.gitDir = cmp.Or(o.gitDir, e.Getenv("GIT_DIR"), ".")
	repo, err := o.repository(e)
	if err == nil {
		repo, err = git.Open(repo.CommonDir())
	}
	if err != nil {
		return err
	}
	program, err := e.Program()
	if err != nil {
		return err
	}
	h, err := hook.Find(ctx, repo, hook.Own(program))
	if err != nil {
		return err
	}
	if err = hook.CheckOwner(repo); err != nil {
		err = fmt.Errorf("cannot %s hook in '%s': %w", verb, repo.Dir(), err)
	} else {
		err = do(repo, h)
	}
	if errors.As(err, new(*hook.Refusal)) || errors.As(err, new(*repos.TakenError)) {
		return cli.Status(cli.No, err)
	}
	return err
}
