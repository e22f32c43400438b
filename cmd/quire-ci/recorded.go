package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"quire/lib/cli"
	"quire/lib/config"
	"quire/lib/drive"
	"quire/lib/executor"
	"quire/lib/git"
	"quire/lib/notify"
	"quire/lib/runstore"
)

// openRun returns the facts and settings that the jobs of a recorded run had, and selects
// the run's workspace.
func (s *settings) openRun(ctx context.Context, root, id string) (executor.Spec, error) {
	store, err := runstore.Open(root, notify.Ended)
	if err != nil {
		return executor.Spec{}, err
	}
	run, err := store.Find(id)
	if errors.Is(err, runstore.ErrNotFound) {
		return executor.Spec{}, cli.Status(cli.No, err)
	} else if err != nil {
		return executor.Spec{}, err
	}
	cfg, err := config.Load(ctx, root)
	if err != nil {
		return executor.Spec{}, err
	}
	repo, err := git.Open(run.GitDir)
	if err != nil {
		return executor.Spec{}, err
	}
	s.workspace = filepath.Join(run.Dir, runstore.WorkspaceDir)
	facts, err := drive.Facts(ctx, run, repo)
	set := cfg.For(run.Repo)
	return executor.Spec{Facts: facts, PassEnv: set.PassEnv, Env: set.Env, Path: os.Getenv("PATH"), Shell: set.Shell}, err
}
