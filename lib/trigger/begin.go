package trigger

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"quire/lib/git"
)

// Begin has do make a repository one that is triggered, while no other is begun,
// triggered or forgotten. Its refs as they are now are what Missed begins with, unless
// it was triggered before.
func Begin(ctx context.Context, repo *git.Repo, do func() error) error {
	_, before := os.Lstat(filepath.Join(repo.Dir(), seenDir, seenFile))
	s, err := openSeen(ctx, repo, nil)
	if err != nil {
		return err
	}
	defer s.close()
	err = do()
	if err != nil && before != nil {
		err = errors.Join(err, os.Remove(s.path)) // what moves until it is begun is not missed
	}
	return err
}

// Forget has do end what Begin began. What was triggered is forgotten: what is pushed
// from now on is not missed.
func Forget(repo *git.Repo, do func() error) error {
	if _, err := os.Lstat(filepath.Join(repo.Dir(), seenDir)); err != nil {
		return do() // never begun
	}
	s, err := lockSeen(repo)
	if err != nil {
		return err
	}
	defer s.close()
	if err := do(); err != nil {
		return err
	}
	if err := os.Remove(s.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
