package notify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"quire/lib/file"
	"quire/lib/git"
	"quire/lib/process"
	"quire/lib/runstore"
)

// OnStartDir is the directory of a root with the programs to run for each run that becomes
// active.
const OnStartDir = "on-start.d"

// Started starts a process that runs the programs of OnStartDir for run, which has just
// become active, and does not wait for it. If there is no such directory, it does nothing.
// The caller unlocks or ends the run only afterwards. On an error no program runs, and no
// later call tries again.
//
// The process inherits the lock of the run's file on-start.log, so that Deliver can wait for
// it if the run ends first. It stays in the caller's process group, which a driver does not signal
// when it ends the processes of the run.
func Started(store *runstore.Store, run *runstore.Run) error {
	if _, err := os.Stat(filepath.Join(store.Root(), OnStartDir)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	err := started(store, run)
	if err != nil {
		return fmt.Errorf("cannot notify of the start of run %s: %w", run.ID, err)
	}
	return nil
}

func started(store *runstore.Store, run *runstore.Run) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := file.OpenFile(filepath.Join(run.Dir, startLogFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	if err := file.TryLock(log, 0, file.Exclusive); err != nil {
		return err
	}
	cmd := exec.Command(filepath.Join(filepath.Dir(self), "quire-runstate"), "--root", store.Root(), "notify", "--start", run.ID)
	cmd.Dir, cmd.Env = store.Root(), git.CleanEnv(os.Environ())
	cmd.ExtraFiles = []*os.File{log}
	return process.Beside(cmd)
}

// awaitStart returns when no process runs programs for the start of run.
func awaitStart(ctx context.Context, run *runstore.Run) error {
	log, err := file.OpenFile(filepath.Join(run.Dir, startLogFile), os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer log.Close()
	return file.LockContext(ctx, log, 0, file.Shared)
}

// DeliverStart runs the programs of OnStartDir for run, with the state active. The error says
// why DeliverStart itself failed; the results of the programs are in the run's file
// on-start.log.
//
// This process becomes a subreaper, and must have no other children.
func DeliverStart(ctx context.Context, store *runstore.Store, run *runstore.Run, o Options) error {
	if err := process.Subreaper(); err != nil {
		return err
	}
	return o.runPrograms(ctx, store, run, OnStartDir, startLogFile, runstore.Status{Change: runstore.Change{State: runstore.Active}})
}
