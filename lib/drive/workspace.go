package drive

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"quire/lib/config"
	"quire/lib/git"
	"quire/lib/runstore"
	"quire/lib/workspace"
)

// MakeWorkspace writes the commit of run, which the caller's process or one it
// was started by drives, into the run's workspace, as the configuration wants it.
func MakeWorkspace(ctx context.Context, store *runstore.Store, run *runstore.Run) error {
	cfg, err := config.Load(ctx, store.Root())
	if err != nil {
		return err
	}
	repo, err := git.Open(run.GitDir)
	if err != nil {
		return err
	}
	_, err = makeWorkspace(ctx, store, run, repo, cfg.For(run.Repo))
	return err
}

// makeWorkspace returns the directory the workspace is in, which is the run's own,
// or a kept one that the run's leads to.
func makeWorkspace(ctx context.Context, store *runstore.Store, run *runstore.Run, repo *git.Repo, s config.Settings) (string, error) {
	dir := filepath.Join(run.Dir, runstore.WorkspaceDir)
	o := workspace.Options{WithGit: s.WithGit, LFS: s.LFS, Submodules: s.Submodules}
	kept, err := takeKept(store, run, s.Workspaces)
	if err == nil && kept != "" {
		err = os.Symlink(kept, dir)
		dir, o.Reuse = kept, true
	}
	if err != nil {
		return "", fmt.Errorf("cannot take a kept workspace: %w", err)
	}
	return dir, workspace.Materialize(ctx, repo, run.SHA, dir, o)
}
