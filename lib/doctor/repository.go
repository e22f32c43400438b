package doctor

import (
	"context"
	"errors"
	"path/filepath"

	"quire/lib/config"
	"quire/lib/git"
	"quire/lib/hook"
	"quire/lib/text"
	"quire/lib/trigger"
)

// repositories looks at those that are to be triggered, and returns them.
func (x *exam) repositories(ctx context.Context) []*git.Repo {
	var repos []*git.Repo
	for _, dir := range x.GitDirs {
		repo, err := git.Open(dir)
		if err == nil {
			repo, err = git.Open(repo.CommonDir())
		}
		if err != nil {
			x.wrong(dir, "# name a Git directory", "%v", err)
			continue
		}
		repos = append(repos, repo)
	}
	if len(x.GitDirs) == 0 {
		var err error
		if repos, err = trigger.Repos(x.Root); err != nil {
			x.wrong(filepath.Join(x.Root, "repos"), "# let this user read it", "cannot be read: %v", text.Cause(err))
		}
	}
	for _, repo := range repos {
		x.repository(ctx, repo)
	}
	return repos
}

func (x *exam) repository(ctx context.Context, repo *git.Repo) {
	dir := repo.Dir()
	if err := hook.CheckOwner(repo); errors.As(err, new(*hook.Refusal)) {
		x.wrong(dir, "# give it to this user, or look as that one", "%v", err)
		return
	}
	x.ours(dir)
	// A file that another user's push has left keeps this one's from being triggered.
	for _, name := range []string{"quire", "quire/lock", "quire/seen"} {
		x.ours(filepath.Join(dir, name))
	}
	x.hook(ctx, repo)
	x.rootOf(repo)
}

// hook looks at what git runs behind a push.
func (x *exam) hook(ctx context.Context, repo *git.Repo) {
	mend := "quire-trigger --git-dir " + text.QuoteLine(repo.Dir()) + " --install-hook"
	h, err := hook.Find(ctx, repo, hook.Own(x.Program))
	if err != nil {
		x.wrong(repo.Dir(), "# mend its configuration", "%v", err)
		return
	}
	if err := h.Installed(); err != nil {
		x.wrong(h.Path(), mend, "quire's hook is not run: %v", err)
		return
	}
	switch on, err := h.TakesOptions(ctx); {
	case err != nil:
		x.wrong(repo.Dir(), "# mend its configuration", "%v", err)
	case !on:
		x.wrong(repo.Dir(), mend, "push options are refused: receive.advertisePushOptions is not true")
	default:
		x.ok(h.Path())
	}
}

// rootOf looks at which root the pushes to a repository go to: the environment of a
// hook is hardly ever that of a shell.
func (x *exam) rootOf(repo *git.Repo) {
	theirs := config.Root("", func(string) string { return "" }, repo.Config)
	if abs, err := filepath.EvalSymlinks(theirs); err == nil {
		theirs = abs
	}
	mine := x.Root
	if abs, err := filepath.EvalSymlinks(mine); err == nil {
		mine = abs
	}
	if theirs != mine {
		x.wrong(repo.Dir(), "git --git-dir "+text.QuoteLine(repo.Dir())+" config quire.root "+text.QuoteLine(x.Root),
			"its pushes go to the root '%s', unless the hook has QUIRE_ROOT in its environment", theirs)
	}
}
