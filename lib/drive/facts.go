// Package drive brings a recorded run to its end: in this process, or in one
// behind the configured launcher.
package drive

import (
	"context"
	"fmt"

	"quire/lib/executor"
	"quire/lib/git"
	"quire/lib/runstore"
)

// Facts returns what the jobs of a run may know: what is on record, and what its
// repository says of the commit.
func Facts(ctx context.Context, run *runstore.Run, repo *git.Repo) (executor.Facts, error) {
	facts := executor.Facts{
		Run:         run.ID,
		Repo:        run.Repo,
		GitDir:      run.GitDir,
		Ref:         run.Ref,
		SHA:         run.SHA,
		PreviousSHA: run.OldSHA,
		Pusher:      run.Pusher,
		PushedAt:    run.PushedAt,
	}
	var err error
	if facts.CommitMessage, err = repo.Message(ctx, run.SHA); err == nil {
		facts.FilesChanged, err = repo.ChangedFiles(ctx, run.OldSHA, run.SHA)
	}
	if err != nil {
		return executor.Facts{}, fmt.Errorf("cannot tell the facts of run %s: %w", run.ID, err)
	}
	return facts, nil
}
