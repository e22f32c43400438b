package trigger

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"quire/lib/file"
	"quire/lib/git"
	"quire/lib/process"
)

// hookFile is the file below quire/ of the Git directory. Each post-receive hook holds a
// shared lock on it from its start until the runs of its push are recorded.
const hookFile = "hook"

// Announce shows Missed that the post-receive hook of a push is running, so that Missed
// leaves moved refs to that hook. A hook calls it first. The caller closes the file when the
// runs are recorded. If the process is killed, the kernel closes it.
func Announce(repo *git.Repo) (*os.File, error) {
	f, err := openInGitDir(repo, hookFile, os.O_RDONLY|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	if err := file.Lock(f, 0, file.Shared); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// hookRuns reports whether a hook of the repository is running.
func hookRuns(repo *git.Repo) (bool, error) {
	f, err := openInGitDir(repo, hookFile, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return false, err
	}
	defer f.Close()
	err = file.TryLock(f, 0, file.Exclusive)
	if errors.Is(err, file.ErrBusy) {
		return true, nil
	}
	return false, err
}

// hookStart is how long Missed waits at most for the hook of a push to begin: between git's
// update of the refs and Announce, a shell and one command start.
const hookStart = time.Second

// receives reports whether git is receiving a push to the repository. The hook of that push
// may not have begun yet.
func receives(repo *git.Repo) bool { return process.RunsIn(repo.Dir(), isReceivePack) }

// isReceivePack reports whether args start git-receive-pack(1), which runs the hook in the Git
// directory and waits for it.
func isReceivePack(args []string) bool {
	if len(args) == 0 {
		return false
	}
	switch filepath.Base(args[0]) {
	case "git-receive-pack":
		return true
	case "git":
		return slices.Contains(args, "receive-pack")
	}
	return false
}

// pushedSince reports whether this process belongs to a push that began after at.
func pushedSince(at time.Time) bool {
	start, ok := process.AncestorStart(isReceivePack)
	return ok && start.After(at)
}

// openInGitDir opens a file in the directory quire/ of the Git directory, and creates that
// directory if needed.
func openInGitDir(repo *git.Repo, name string, flag int) (*os.File, error) {
	dir := filepath.Join(repo.Dir(), seenDir)
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	return file.OpenFile(filepath.Join(dir, name), flag, 0o644)
}
