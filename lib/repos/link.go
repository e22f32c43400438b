package repos

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"quire/lib/git"
)

// A TakenError says that a name belongs to another repository.
type TakenError struct {
	Name  string
	Other string // the path of that repository
	Hint  string // a name that is likely to be free
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("'%s' already has the name '%s': choose another one, such as --name %s", e.Other, e.Name, e.Hint)
}

// Free returns nil if repo may have the name in root, or has it. If the name belongs to
// another repository, or is a path inside one, the error is a *TakenError.
func Free(repo *git.Repo, root, name string) error {
	if err := Check(name); err != nil {
		return err
	}
	entry := path(root, name)
	if same(entry, repo.Dir()) {
		return nil
	}
	if _, err := os.Lstat(entry); err == nil {
		return &TakenError{name, resolved(entry), hint(repo, name)}
	}
	for dir := filepath.Dir(name); dir != "."; dir = filepath.Dir(dir) {
		if _, err := git.Open(path(root, dir)); err == nil {
			return &TakenError{dir, resolved(path(root, dir)), hint(repo, name)}
		}
	}
	return nil
}

// resolved returns a path with its links resolved, or for a dangling link its target.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if target, err := os.Readlink(path); err == nil {
		return target
	}
	return path
}

// hint returns the last two components of the path of a repository.
func hint(repo *git.Repo, name string) string {
	dir := topDir(repo)
	if parent := filepath.Base(filepath.Dir(dir)); parent != "/" && parent != dirName {
		return parent + "/" + filepath.Base(dir)
	}
	return "other/" + filepath.Base(name)
}

// Link makes repos/NAME of root a link to the repository, unless the repository already has
// the name. The error is a *TakenError if another repository has the name.
func Link(repo *git.Repo, root, name string) error {
	if err := Free(repo, root, name); err != nil {
		return err
	}
	entry := path(root, name)
	if same(entry, repo.Dir()) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(entry), 0o755); err != nil {
		return err
	}
	err := os.Symlink(repo.Dir(), entry)
	if errors.Is(err, fs.ErrExist) {
		return Free(repo, root, name) // another process was quicker
	}
	return err
}

// Unlink removes the link repos/NAME of root to the repository, and the directories above it
// that become empty. It never removes a repository.
func Unlink(repo *git.Repo, root, name string) error {
	entry := path(root, name)
	info, err := os.Lstat(entry)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 || !same(entry, repo.Dir()) {
		return nil
	}
	if err := os.Remove(entry); err != nil {
		return err
	}
	for dir := filepath.Dir(name); dir != "."; dir = filepath.Dir(dir) {
		if os.Remove(path(root, dir)) != nil {
			return nil // not empty
		}
	}
	return nil
}
