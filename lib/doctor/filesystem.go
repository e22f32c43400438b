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

// tryName is how the names of directories begin in which something is tried.
const tryName = "doctor-"

// patience bounds what is tried, and might wait for something that never comes.
const patience = 20 * time.Second

// fileSystem drives a run in a store of its own, on the file system of the root: it
// needs all that quire does of one, which is fsync, rename, links, appending, locks that
// stand between processes, and being told of changes.
func (x *exam) fileSystem(ctx context.Context) {
	const mend = "# keep the root on a local file system, such as ext4 or xfs"
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	dir, err := os.MkdirTemp(x.Root, tryName)
	if err != nil {
		x.wrong(x.Root, mend, "cannot be written: %v", text.Cause(err))
		return
	}
	defer os.RemoveAll(dir)
	if err := x.try(ctx, dir); err != nil {
		x.wrong(x.Root, mend, "its file system does not do: %s", strings.ReplaceAll(err.Error(), dir, x.Root))
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
		return errors.New("a lock of one process did not keep another one out")
	}
	if err := x.exec(ctx, dir, runs[0].ID); err != nil {
		return fmt.Errorf("a run of 'true' failed: %w", err)
	}
	if s, err := runs[0].Status(); err != nil || s.State != runstore.Complete {
		return fmt.Errorf("a run of 'true' is %s, %w", s.State, err)
	}
	return watched(ctx, filepath.Join(runs[0].Dir, "doctor"))
}

// exec has another process drive the run.
func (x *exam) exec(ctx context.Context, root, id string) error {
	cmd := exec.CommandContext(ctx, x.Program, "--root", root, "exec", id, "--", "true")
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// watched returns an error unless one is told of what is written to a file.
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
		return fmt.Errorf("nobody is told of changes: %w", err)
	}
	return nil
}
