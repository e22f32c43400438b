package main

import (
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
	"quire/lib/text"
)

// existingRoot returns the absolute path of the root, and creates repos/ in it. If the
// root does not exist, the error has the command that creates it.
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

// setRoot sets quire.root of the repository unless pushes find the root without it: a
// hook rarely has the environment of a shell, and in a shared repository it may run as
// another user, with another configuration.
func setRoot(ctx context.Context, repo *git.Repo, root string) error {
	found := config.Root("", func(string) string { return "" }, repo.Config)
	forAll := !repo.Shared() || root == config.DefaultRoot
	if abs, err := filepath.Abs(found); err == nil && abs == root && found == abs && forAll {
		return nil
	}
	return repo.SetLocal(ctx, config.RootGitKey, root)
}
