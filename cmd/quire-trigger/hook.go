package main

import (
	"context"
	"errors"
	"path/filepath"

	"quire/lib/cli"
	"quire/lib/config"
	"quire/lib/git"
	"quire/lib/hook"
	"quire/lib/repos"
	"quire/lib/trigger"
)

// installHook installs quire's hook in a repository, and links the repository in the
// root.
func installHook(ctx context.Context, e *cli.Env, o options) error {
	return o.hook(ctx, e, "install", func(repo *git.Repo, h *hook.Hook) error {
		root, err := o.existingRoot(e, repo)
		if err != nil {
			return err
		}
		name, inRoot := repos.Name(repo, root)
		wanted := o.name != "" && o.name != name
		if wanted {
			name = filepath.Clean(o.name)
		}
		if err := repos.Free(repo, root, name); err != nil {
			return err
		}
		// The link comes last: until it exists, a killed call is repeated.
		install := func() error {
			if err := h.Install(ctx); err != nil {
				return err
			}
			if o.gate {
				if err := h.Gate().Install(ctx); err != nil {
					return err
				}
			}
			if err := setRoot(ctx, repo, root); err != nil {
				return err
			}
			if !wanted && inRoot {
				return nil
			}
			if err := repo.SetLocal(ctx, repos.NameKey, name); err != nil {
				return err
			}
			return repos.Link(repo, root, name)
		}
		if err := trigger.Begin(ctx, repo, install); err != nil {
			return err
		}
		if filepath.Base(repo.Dir()) == ".git" {
			e.Note("'%s' has a working tree: pushes to it make runs, commits in it do not, and Git refuses pushes to its current branch; see receive.denyCurrentBranch in git-config(1)", filepath.Dir(repo.Dir()))
		}
		return nil
	})
}

// uninstallHook undoes installHook. quire.name and quire.root stay, so that the
// repository gets its name again at the next installation. With --gate it removes the gate
// only.
func uninstallHook(ctx context.Context, e *cli.Env, o options) error {
	return o.hook(ctx, e, "uninstall", func(repo *git.Repo, h *hook.Hook) error {
		if o.gate {
			return h.Gate().Uninstall(ctx)
		}
		root := config.Root(o.root, e.Getenv, repo.Config)
		name, _ := repos.Name(repo, root)
		return trigger.Forget(repo, func() error {
			if err := errors.Join(h.Gate().Uninstall(ctx), h.Uninstall(ctx)); err != nil {
				return err
			}
			return repos.Unlink(repo, root, name)
		})
	})
}
