package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"

	"golang.org/x/sys/unix"

	"quire/lib/cli"
	"quire/lib/config"
	"quire/lib/git"
	"quire/lib/hook"
	"quire/lib/repos"
	"quire/lib/text"
	"quire/lib/trigger"
)

// installHook makes quire's hook that of a repository, and the repository one of the root.
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
		if err := trigger.Begin(ctx, repo, func() error { return h.Install(ctx) }); err != nil {
			return err
		}
		if wanted || !inRoot {
			if err := errors.Join(repos.Link(repo, root, name), repo.SetLocal(ctx, repos.NameKey, name)); err != nil {
				return err
			}
		}
		if filepath.Base(repo.Dir()) == ".git" {
			e.Note("'%s' has a working tree: pushes to it make runs, commits in it do not, and Git refuses pushes to its current branch; see receive.denyCurrentBranch in git-config(1)", filepath.Dir(repo.Dir()))
		}
		return setRoot(ctx, repo, root)
	})
}

// existingRoot returns the absolute path of the root, in which it makes repos/. If the
// root does not exist, the error has the command that makes it.
func (o options) existingRoot(e *cli.Env, repo *git.Repo) (string, error) {
	root, err := filepath.Abs(config.Root(o.root, e.Getenv, repo.Config))
	if err != nil {
		return "", err
	}
	if err := os.Mkdir(filepath.Join(root, "repos"), 0o755); err == nil || errors.Is(err, fs.ErrExist) {
		return root, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	command := "mkdir -p " + text.QuoteLine(root)
	parent := filepath.Dir(root)
	for _, err := os.Stat(parent); err != nil && parent != "/"; _, err = os.Stat(parent) {
		parent = filepath.Dir(parent)
	}
	if me, err := user.Current(); err == nil && unix.Access(parent, unix.W_OK) != nil {
		command = "sudo install -d -o " + text.QuoteLine(me.Username) + " " + text.QuoteLine(root)
	}
	return "", cli.Status(cli.No, fmt.Errorf("root '%s' does not exist, make it with: %s", root, command))
}

// setRoot sets quire.root of the repository unless pushes find the root without it: the
// environment of a hook is rarely that of a shell.
func setRoot(ctx context.Context, repo *git.Repo, root string) error {
	found := config.Root("", func(string) string { return "" }, repo.Config)
	if abs, err := filepath.Abs(found); err == nil && abs == root && found == abs {
		return nil
	}
	return repo.SetLocal(ctx, config.RootGitKey, root)
}

// uninstallHook undoes installHook. quire.name and quire.root stay, so that the
// repository gets its name again when the hook is installed again.
func uninstallHook(ctx context.Context, e *cli.Env, o options) error {
	return o.hook(ctx, e, "uninstall", func(repo *git.Repo, h *hook.Hook) error {
		if err := trigger.Forget(repo, func() error { return h.Uninstall(ctx) }); err != nil {
			return err
		}
		root := config.Root(o.root, e.Getenv, repo.Config)
		name, _ := repos.Name(repo, root)
		return repos.Unlink(repo, root, name)
	})
}

// hook calls do with the repository of the command line and its hook. For a linked working
// tree these are the ones of its main repository.
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
