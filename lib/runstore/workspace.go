package runstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"quire/lib/runlog"
)

// LogFile is the file of a run's directory with all output of the driven command.
const LogFile = "quire-ci.log"

// WorkspaceDir is the directory of a run with the commit's tree.
const WorkspaceDir = "workspace"

// leftWorkspace begins the names of leftovers beside the workspace, from processes that
// were killed while creating it.
const leftWorkspace = "." + WorkspaceDir + ".quire-"

// RemoveWorkspace deletes the run's workspace, complete or not, and does what
// RemoveScratch does. If the workspace is a link, its target stays. The error names what
// could not be removed and its new path, see RemoveTree.
func (r *Run) RemoveWorkspace() error {
	entries, err := os.ReadDir(r.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if e.Name() == WorkspaceDir || strings.HasPrefix(e.Name(), leftWorkspace) {
			_, failure := r.store.RemoveTree(filepath.Join(r.Dir, e.Name()), r.ID)
			err = errors.Join(err, failure)
		}
	}
	err = errors.Join(err, r.RemoveScratch())
	if err != nil {
		return fmt.Errorf("cannot remove workspace of run %s: %w", r.ID, err)
	}
	return nil
}

// RemoveScratch deletes the remaining files that only the jobs of the run needed. Its
// errors are as for RemoveWorkspace.
func (r *Run) RemoveScratch() error {
	var errs []error
	for _, dir := range []string{r.Dir, filepath.Join(r.Dir, runlog.OutDir)} {
		if path := filepath.Join(dir, runlog.ScratchDir); exists(path) {
			_, err := r.store.RemoveTree(path, r.ID)
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("cannot remove scratch directory of run %s: %w", r.ID, err)
	}
	return nil
}

// Environ returns the run's facts as the environment of the command that drives it.
func (r *Run) Environ() []string {
	return []string{
		"QUIRE_ROOT=" + r.store.root,
		"QUIRE_RUN=" + r.ID,
		"QUIRE_RUN_DIR=" + r.Dir,
		"QUIRE_REPO=" + r.Repo,
		"QUIRE_REF=" + r.Ref,
		"QUIRE_SHA=" + r.SHA,
		"QUIRE_GIT_DIR=" + r.GitDir,
	}
}
