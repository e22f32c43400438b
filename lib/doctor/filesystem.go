package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"quire/lib/push"
	"quire/lib/runstore"
	"quire/lib/text"
)

// tryName is the beginning of the names of temporary directories.
const tryName = "doctor-"

// checkTimeout bounds each check that might hang.
const checkTimeout = 20 * time.Second

// fileSystem drives a run in a temporary store, on the file system of the root. A run needs
// everything that quire requires of a file system: fsync, rename, links, appending, locks
// between processes, and notification of changes.
func (x *exam) fileSystem(ctx context.Context) {
	const repair = "# keep the root on a local file system, such as ext4 or xfs"
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	dir, err := os.MkdirTemp(x.Root, tryName)
	if err != nil {
		x.wrong(x.Root, repair, "is not writable: %v", text.Cause(err))
		return
	}
	defer os.RemoveAll(dir)
	if err := x.try(ctx, dir); err != nil {
		x.wrong(x.Root, repair, "its file system is not suitable: %s", strings.ReplaceAll(err.Error(), dir, x.Root))
		return
	}
	x.ok(x.Root + " (file system)")
}

func (x *exam) try(ctx context.Context, dir string) error {
	store, err := runstore.Open(dir, nil)
	if err != nil {
		return err
	}
	runs, err := store.Create(runstore.Facts{Facts: push.Facts{Repo: "doctor", GitDir: dir, Ref: "refs/heads/doctor", SHA: strings.Repeat("0", 40)}, Executor: "host"})
	if err != nil {
		return err
	}
	driver, err := runs[0].Drive()
	if err != nil {
		return err
	}
	err = x.exec(ctx, dir, runs[0].ID)
	driver.Unlock()
	if err == nil {
		return errors.New("a lock of one process did not exclude another one")
	}
	if err := x.exec(ctx, dir, runs[0].ID); err != nil {
		return fmt.Errorf("a run of 'true' failed: %w", err)
	}
	if s, err := runs[0].Status(); err != nil || s.State != runstore.Complete {
		return fmt.Errorf("a run of 'true' is %s, %w", s.State, err)
	}
	return watched(ctx, filepath.Join(runs[0].Dir, "doctor"))
}

// exec drives the run in another process.
func (x *exam) exec(ctx context.Context, root, id string) error {
	cmd := exec.CommandContext(ctx, x.Program, "--root", root, "exec", id, "--", "true")
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// watched returns an error unless writing to a file notifies a watcher.
func watched(ctx context.Context, path string) error {
	w, err := runstore.NewWatcher()
	if err != nil {
		return err
	}
	defer w.Close()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return err
	}
	if err := w.Add(path); err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte("changed\n"), 0o600); err != nil {
		return err
	}
	if err := w.Wait(ctx); err != nil {
		return fmt.Errorf("no notification of a change: %w", err)
	}
	return nil
}
