package trigger

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"quire/lib/git"
)

// Begin calls do, which installs the hook, while it holds the lock of the repository. Unless
// the repository was triggered before, Missed starts from its current refs.
func Begin(ctx context.Context, repo *git.Repo, do func() error) error {
	_, before := os.Lstat(filepath.Join(repo.Dir(), seenDir, seenFile))
	s, err := openSeen(ctx, repo, nil)
	if err != nil {
		return err
	}
	defer s.close()
	err = do()
	if err != nil && before != nil {
		err = errors.Join(err, os.Remove(s.path)) // pushes before the next Begin are not missed
	}
	return err
}

// Forget calls do, which removes the hook, while it holds the lock of the repository. It then
// removes the record of triggered updates: later pushes do not count as missed.
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
