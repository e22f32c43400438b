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

// MakeWorkspace writes the commit of run into its workspace, by the settings of plan. This
// process or an ancestor holds the lock of the run. It returns the directory: the run's own,
// or one of the pool; then the run's own is a link to it. The pool never fails a run: on an
// error of the pool, the log gets a warning and the run gets its own workspace.
func MakeWorkspace(ctx context.Context, store *runstore.Store, run *runstore.Run, plan *Plan) (string, error) {
	repo, err := git.Open(run.GitDir)
	if err != nil {
		return "", err
	}
	s := plan.Settings
	dir := filepath.Join(run.Dir, runstore.WorkspaceDir)
	o := workspace.Options{WithGit: s.WithGit, LFS: s.LFS, Submodules: s.Submodules}
	warn := func(err error) { warnInLog(run, err) }
	pooled, err := takePooled(store, run, s, warn)
	if err == nil && pooled != "" {
		reuse := o
		reuse.Reuse, reuse.KeepIgnored = true, s.KeepIgnored
		reuse.Left = func(path string, err error) {
			if aside, moveErr := store.SetAside(path, run.ID); moveErr == nil {
				err = fmt.Errorf("%w; what is left is in '%s'", err, aside)
			}
			warn(err)
		}
		err = workspace.Materialize(ctx, repo, run.SHA, pooled, reuse)
		if err == nil {
			err = os.Symlink(pooled, dir)
		}
		if err == nil {
			return pooled, nil
		}
	}
	if err != nil && ctx.Err() == nil {
		warn(fmt.Errorf("cannot use a kept workspace: %w", err))
	}
	return dir, workspace.Materialize(ctx, repo, run.SHA, dir, o)
}

// warnInLog appends a warning to the run's log. It ignores errors: the run is more important.
func warnInLog(run *runstore.Run, warning error) {
	_ = runlog.AppendRunLog(filepath.Join(run.Dir, runstore.LogFile), "quire: warning: %v", warning)
}
