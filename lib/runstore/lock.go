package runstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"quire/lib/file"
	"quire/lib/text"
)

// ErrBusy is the error for a lock that another process holds.
var ErrBusy = file.ErrBusy

// The bytes of a run's file lock.
const (
	driverByte  = 0 // held by the run's driver
	waitingByte = 1 // held by a driver that waits for its turn
)

const lockFile = "lock"

// A Driver is the right to drive a run. One process at a time has it.
type Driver struct {
	run   *Run
	file  *os.File
	began bool          // this driver started the run's processes, and ends them before it unlocks
	woken chan struct{} // has a value if the root may have been paused since the last look
}

// Drive takes the run's lock for its driver. The driver holds it from before the run
// becomes active until after it has ended, and then calls Unlock. ErrBusy says that
// another process drives the run, ErrNotFound that it was removed.
func (r *Run) Drive() (*Driver, error) {
	f, err := file.OpenFile(filepath.Join(r.Dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, r.gone(err)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot lock run %s: %w", r.ID, text.Cause(err))
	}
	if err := file.TryLock(f, driverByte, file.Exclusive); err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot lock run %s: %w", r.ID, err)
	}
	return &Driver{run: r, file: f, woken: make(chan struct{}, 1)}, nil
}

// Unlock ends the driving. If the run began and has ended, Unlock removes it from live/:
// no process of the run is left. If it has ended, Unlock calls the store's onEnd.
func (d *Driver) Unlock() {
	d.unlock()
	if d.run.store.onEnd == nil {
		return
	}
	if state, err := lastState(d.run.Dir); err == nil && state.Final() {
		_ = d.run.store.onEnd(d.run.store) // if it fails, Reconcile repeats it
	}
}

// unlock is Unlock without calling onEnd.
func (d *Driver) unlock() {
	if d.began && exists(d.run.store.path("live", d.run.ID)) {
		_ = d.run.complete() // if it fails, Reconcile repeats it
	}
	d.file.Close()
}

// wasDriven reports whether the run has had a driver, whose lock file remains. Until the
// link in live/ is gone, processes of that driver may be left.
func (r *Run) wasDriven() bool { return exists(filepath.Join(r.Dir, lockFile)) }

// Driven reports whether a process drives the run now.
func (r *Run) Driven() (bool, error) {
	return file.Locked(filepath.Join(r.Dir, lockFile), driverByte)
}

// AwaitDriver returns once no process drives the run.
func (r *Run) AwaitDriver() error { return awaitLock(filepath.Join(r.Dir, lockFile), driverByte) }

// awaitLock returns once no process holds the lock on a byte of the file path.
func awaitLock(path string, which int64) error {
	f, err := file.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return file.Lock(f, which, file.Shared)
}
