package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"quire/lib/cli"
	"quire/lib/git"
	"quire/lib/hook"
	"quire/lib/trigger"
)

// installHook puts quire's hook into the repository.
func installHook(ctx context.Context, e *cli.Env, o options) error {
	return o.hook(ctx, e, "install", func(repo *git.Repo, h *hook.Hook) error {
		return trigger.Begin(ctx, repo, func() error { return h.Install(ctx) })
	})
}

// uninstallHook takes it away again.
func uninstallHook(ctx context.Context, e *cli.Env, o options) error {
	return o.hook(ctx, e, "uninstall", func(repo *git.Repo, h *hook.Hook) error {
		return trigger.Forget(repo, func() error { return h.Uninstall(ctx) })
	})
}

// hook does something with the hook of the repository at hand: that which pushes to a
// linked working tree meet is that of its main one.
func (o options) hook(ctx context.Context, e *cli.Env, verb string, do func(*git.Repo, *hook.Hook) error) error {
	if o.root != "" {
		return cli.Usagef("--root does not go with --%s-hook", verb)
	}
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
	if errors.As(err, new(*hook.Refusal)) {
		return cli.Status(cli.No, err)
	}
	return err
}
