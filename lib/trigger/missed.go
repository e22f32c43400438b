package trigger

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"quire/lib/git"
	"quire/lib/runstore"
)

// Missed makes the runs that pushes to the repository should have made and did
// not, because the hook was missing, was killed, or had no room: each once,
// however many call it, and beside pushes. A repository that was never triggered
// is noted as it is, and makes no run.
func (t *Trigger) Missed(ctx context.Context) ([]Run, error) {
	s, err := openSeen(ctx, t.Repo, nil)
	if err != nil {
		return nil, err
	}
	defer s.close()
	refs, err := t.Repo.Refs(ctx)
	if err != nil {
		return nil, err
	}
	missed := s.missed(refs)
	if len(missed) == 0 {
		return nil, nil
	}
	undone, err := t.withoutRun(ctx, missed)
	if err != nil {
		return nil, err
	}
	runs, err := t.makeSeen(ctx, s, undone)
	if errors.As(err, new(*notRecorded)) {
		return runs, err
	}
	return runs, errors.Join(err, s.add(missed))
}

// withoutRun returns the updates but those whose runs were made by a trigger that
// was killed before it could say so.
func (t *Trigger) withoutRun(ctx context.Context, updates []Update) ([]Update, error) {
	objects, err := t.Repo.Objects(ctx)
	if err != nil {
		return nil, err
	}
	defer objects.Close()
	store, err := runstore.Open(t.Root(), t.OnEnd)
	if err != nil {
		return nil, err
	}
	name := git.RepoName(ctx, t.Repo, t.Root())
	var without []Update
	for _, u := range updates {
		latest, err := store.Find(name + "@" + u.Ref)
		if err != nil && !errors.Is(err, runstore.ErrNotFound) {
			return nil, err
		}
		if err == nil && !u.Deleted() {
			commit, _, _, err := objects.Info(u.New + "^{commit}")
			if err == nil && commit == latest.SHA {
				continue
			}
		}
		without = append(without, u)
	}
	return without, nil
}

// Repos returns the repositories below the root's repos/.
func Repos(root string) ([]*git.Repo, error) {
	var repos []*git.Repo
	top := filepath.Join(root, "repos")
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == top {
			return fs.SkipAll
		}
		if err != nil || !d.IsDir() {
			return err
		}
		if repo, err := git.Open(path); err == nil {
			repos = append(repos, repo)
			return fs.SkipDir
		}
		return nil
	})
	return repos, err
}
