package executor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"quire/lib/file"
	"quire/lib/runlog"
	"quire/lib/text"
)

// copyWorkspace copies the workspace before any job runs, if a job that runs has a workspace
// of its own. If that fails, the run fails.
func (r *run) copyWorkspace(ctx context.Context) {
	for _, j := range r.jobs {
		if _, earlier := r.earlier(j); !j.spec.Options.OwnWorkspace || earlier {
			continue
		}
		out, err := os.Stat(r.Out) // it may be in the workspace and must not be copied
		if err == nil {
			err = copyTree(ctx, r.Workspace, r.scratch(treeDir), file.Copy{Links: true, Skip: out})
		}
		if err != nil && ctx.Err() == nil {
			r.fatal(fmt.Errorf("cannot copy the workspace: %w", text.Cause(err)))
		}
		return
	}
}

// copyTree copies the directory from to the new directory to.
func copyTree(ctx context.Context, from, to string, o file.Copy) error {
	in, err := file.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	if err := os.Mkdir(to, 0o777); err != nil {
		return err
	}
	out, err := file.Open(to)
	if err != nil {
		return err
	}
	defer out.Close()
	_, err = file.CopyTree(ctx, in, out, o)
	return err
}

// ownDir returns the directory of the job's own workspace.
func (j *job) ownDir() string {
	return j.run.scratch(ownDir, filepath.FromSlash(runlog.JobPath(j.spec.ID)))
}

// makeOwn creates the job's own workspace, for one attempt.
func (j *job) makeOwn(ctx context.Context) error {
	err := copyTree(ctx, j.run.scratch(treeDir), j.ownDir(), file.Copy{Links: true})
	if err != nil {
		return text.Cause(err)
	}
	w, err := openWorkspace(j.ownDir())
	if err == nil {
		j.workspace = w
	}
	return err
}

// removeOwn removes the job's own workspace.
func (j *job) removeOwn() {
	if j.workspace != j.run.workspace {
		j.workspace.close()
		j.workspace = j.run.workspace
	}
	if err := file.RemoveTree(j.ownDir()); err != nil {
		j.say("quire: warning: cannot remove its own workspace: " + err.Error())
	}
}
