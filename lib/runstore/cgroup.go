package runstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"quire/lib/process"
	"quire/lib/text"
)

// cgroupFile is the file in a run's directory that names the directory of the control
// group of the run's processes. It exists while the group may exist.
const cgroupFile = "cgroup"

// cgroupName returns the last part of the name of a run's control group.
func cgroupName(id string) string { return "quire-" + id }

// NewCgroup creates a control group for the processes of the run, below this process's
// own. The name of the group is written to the run's directory before the group exists, so
// that Reconcile finds it after a kill at any moment. On error the run has no group, which
// only weakens Reconcile.
func (d *Driver) NewCgroup() (*process.Cgroup, error) {
	own, err := process.OwnCgroup()
	if err != nil {
		return nil, fmt.Errorf("cannot find control group: %w", text.Cause(err))
	}
	dir := filepath.Join(own, cgroupName(d.run.ID))
	path := filepath.Join(d.run.Dir, cgroupFile)
	forget := func() { os.Remove(path) }
	if err := os.WriteFile(path, []byte(dir+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("cannot record control group of run %s: %w", d.run.ID, text.Cause(err))
	}
	group, err := process.NewCgroup(dir, forget)
	if err != nil {
		forget()
	}
	return group, err
}

// EndCgroup ends the processes in the control group of the run, and removes the group.
// It reports whether the run had one. After an error the run stays in live/, and Reconcile
// tries again.
func (d *Driver) EndCgroup() (had bool, err error) {
	defer func() { d.began = d.began && err == nil }()
	path := filepath.Join(d.run.Dir, cgroupFile)
	line, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot find control group of run %s: %w", d.run.ID, text.Cause(err))
	}
	dir, whole := strings.CutSuffix(string(line), "\n")
	if whole { // else the driver was killed before it created the group
		// A job outside a sandbox can write the file.
		if filepath.Base(dir) != cgroupName(d.run.ID) {
			return false, fmt.Errorf("run %s: '%s' names the control group of another run", d.run.ID, path)
		}
		if err := process.EndCgroup(dir); err != nil {
			return true, fmt.Errorf("run %s: %w", d.run.ID, err)
		}
	}
	return true, os.Remove(path)
}
