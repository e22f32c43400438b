package main

import (
	"quire/lib/cli"
	"quire/lib/config"
	"quire/lib/diag"
	"quire/lib/git"
	"quire/lib/notify"
	"quire/lib/trigger"
)

// repository opens the repository that --git-dir, or else GIT_DIR, names.
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

// trigger returns the trigger of a repository, with the pusher and the push options
// that the environment names.
func (o options) trigger(e *cli.Env, repo *git.Repo) *trigger.Trigger {
	root := func() string { return config.Root(o.root, e.Getenv, repo.Config) }
	t := &trigger.Trigger{Root: root, Repo: repo, OnEnd: notify.Start, Warn: func(l diag.List) { e.Report(l) }}
	t.FromEnv(e.Getenv)
	return t
}
