package drive

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"quire/lib/git"
	"quire/lib/runstore"
	"quire/lib/workspace"
)

// MakeWorkspace writes the commit of run into its workspace, as plan wants it. This
// process, or one above it, holds the lock of the run. It returns the directory, which is
// the run's own, or a kept one that the run's links to.
func MakeWorkspace(ctx context.Context, store *runstore.Store, run *runstore.Run, plan *Plan) (string, error) {
	repo, err := git.Open(run.GitDir)
	if err != nil {
		return "", err
	}
	s := plan.Settings
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
