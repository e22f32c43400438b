package drive

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"quire/lib/git"
	"quire/lib/runlog"
	"quire/lib/runstore"
	"quire/lib/workspace"
)

// MakeWorkspace writes the commit of run into its workspace, as plan wants it. This
// process, or one above it, holds the lock of the run. It returns the directory, which is
// the run's own, or a kept one that the run's links to. A kept workspace never fails a run:
// if anything goes wrong with it, the log says so and the run gets its own.
func MakeWorkspace(ctx context.Context, store *runstore.Store, run *runstore.Run, plan *Plan) (string, error) {
	repo, err := git.Open(run.GitDir)
	if err != nil {
		return "", err
	}
	s := plan.Settings
	dir := filepath.Join(run.Dir, runstore.WorkspaceDir)
	o := workspace.Options{WithGit: s.WithGit, LFS: s.LFS, Submodules: s.Submodules}
	warn := func(err error) { warnInLog(run, err) }
	kept, err := takeKept(store, run, s, warn)
	if err == nil && kept != "" {
		reuse := o
		reuse.Reuse, reuse.KeepIgnored = true, s.KeepIgnored
		reuse.Left = func(path string, err error) {
			if aside, moveErr := store.SetAside(path, run.ID); moveErr == nil {
				err = fmt.Errorf("%w; what is left is in '%s'", err, aside)
			}
			warn(err)
		}
		err = workspace.Materialize(ctx, repo, run.SHA, kept, reuse)
		if err == nil {
			err = os.Symlink(kept, dir)
		}
		if err == nil {
			return kept, nil
		}
	}
	if err != nil && ctx.Err() == nil {
		warn(fmt.Errorf("cannot use a kept workspace: %w", err))
	}
	return dir, workspace.Materialize(ctx, repo, run.SHA, dir, o)
}

// warnInLog writes a warning to the run's log. If even that fails, the run is more
// important.
func warnInLog(run *runstore.Run, warning error) {
	_ = runlog.AppendRunLog(filepath.Join(run.Dir, runstore.LogFile), "quire: warning: %v", warning)
}
