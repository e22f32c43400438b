package doctor

import (
	"context"
	"errors"
	"path/filepath"

	"quire/lib/config"
	"quire/lib/git"
	"quire/lib/hook"
	"quire/lib/repos"
	"quire/lib/text"
)

// repositories checks the repositories, and returns them.
func (x *exam) repositories(ctx context.Context, h history) []*git.Repo {
	var list []*git.Repo
	for _, dir := range x.GitDirs {
		repo, err := git.Open(dir)
		if err == nil {
			repo, err = git.Open(repo.CommonDir())
		}
		if err != nil {
			x.wrong(dir, "# name a Git directory", "%v", err)
			continue
		}
		list = append(list, repo)
	}
	if len(x.GitDirs) == 0 {
		list = x.listed(h)
	}
	for _, repo := range list {
		x.repository(ctx, repo)
	}
	return list
}

// listed returns the repositories of the root, and the repositories of its recent runs that
// have no link in the root.
func (x *exam) listed(h history) []*git.Repo {
	list, err := repos.List(x.Root)
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			if broken, ok := errors.AsType[*repos.Broken](err); ok {
				x.wrong(broken.Path, "# let this user read it, or remove it: rm "+text.QuoteLine(broken.Path), "cannot be read: %v", text.Cause(broken.Err))
			}
		}
	}
	for _, dir := range h.gitDirs {
		repo, err := git.Open(dir)
		if err != nil {
			continue // the repository was removed
		}
		if _, linked := repos.Name(repo, x.Root); !linked && repo.Dir() == repo.CommonDir() {
			list = append(list, repo)
		}
	}
	if len(list) == 0 && err == nil {
		x.wrong(filepath.Join(x.Root, "repos"), "# quire-trigger --install-hook --git-dir DIR links one there", "has no repository")
	}
	return list
}

func (x *exam) repository(ctx context.Context, repo *git.Repo) {
	dir := repo.Dir()
	foreign := errors.As(hook.CheckOwner(repo), new(*hook.Refusal))
	if repo.Shared() {
		repair := "# set up one account or gitolite instead, see quire(7)"
		if foreign {
			repair = "# git config --global --add safe.directory " + text.QuoteLine(dir)
		}
		x.wrong(dir, repair, "is shared with a group (core.sharedRepository): pushes of other users make their runs when '%s' runs quire-trigger --missed", thisUser())
		if foreign {
			return
		}
	} else {
		x.ours(dir)
		if foreign {
			return
		}
		// Files from another user's push would prevent this user's pushes from making runs.
		for _, name := range []string{"quire", "quire/lock", "quire/seen"} {
			x.ours(filepath.Join(dir, name))
		}
	}
	x.name(repo)
	if h, err := hook.Find(ctx, repo, hook.Own(x.Program)); err != nil {
		x.wrong(repo.Dir(), "# repair its configuration", "%v", err)
	} else {
		x.hook(ctx, repo, h)
		x.gate(ctx, repo, h.Gate())
	}
	x.rootOf(repo)
}

// name checks that no other repository of the root has the name of this one.
func (x *exam) name(repo *git.Repo) {
	name, linked := repos.Name(repo, x.Root)
	if linked {
		return
	}
	if taken, ok := errors.AsType[*repos.TakenError](repos.Free(repo, x.Root, name)); ok {
		x.wrong(repo.Dir(), "quire-trigger --git-dir "+text.QuoteLine(repo.Dir())+" --root "+text.QuoteLine(x.Root)+" --install-hook --name "+text.QuoteLine(taken.Hint),
			"shares the name '%s', and with it runs, settings and secrets, with '%s'", name, taken.Other)
	}
}

// hook checks that git runs quire's hook after a push.
func (x *exam) hook(ctx context.Context, repo *git.Repo, h *hook.Hook) {
	repair := h.Advice(x.Root)
	if err := h.Installed(); err != nil {
		x.wrong(h.Path(), repair, "quire's hook is not run: %v", err)
		return
	}
	switch on, err := h.TakesOptions(ctx); {
	case err != nil:
		x.wrong(repo.Dir(), "# repair its configuration", "%v", err)
	case !on:
		x.wrong(repo.Dir(), repair, "push options are refused: receive.advertisePushOptions is not true")
	default:
		x.ok(h.Path())
	}
}

// rootOf checks which root the pushes to a repository use: the environment of a hook usually
// differs from a shell's.
func (x *exam) rootOf(repo *git.Repo) {
	theirs := resolved(config.Root("", func(string) string { return "" }, repo.Config))
	if theirs != resolved(x.Root) {
		x.wrong(repo.Dir(), "git --git-dir "+text.QuoteLine(repo.Dir())+" config quire.root "+text.QuoteLine(x.Root),
			"its pushes go to the root '%s', unless the hook has QUIRE_ROOT in its environment", theirs)
	}
}

// resolved returns a path without symbolic links, or unchanged if it does not exist.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}
