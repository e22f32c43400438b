package executor

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"quire/lib/file"
	"quire/lib/runlog"
)

const (
	// resultPrefix is followed by digits in the names of temporary directories of runs.
	resultPrefix = "quire-ci-"

	// resultsMax is how many of these directories of a user are not removed, the newest.
	resultsMax = 5
)

// UseOut sets Out to dir. If dir is "", it creates a temporary directory instead and removes
// old ones. The caller must call done at the end of the run: it removes the temporary
// directory unless the run failed or left artifacts.
func (o *Options) UseOut(dir string) (done func(Outcome), err error) {
	if dir != "" {
		o.Out, err = filepath.Abs(dir)
		return func(Outcome) {}, err
	}
	o.temporary = true
	if o.Out, err = os.MkdirTemp("", resultPrefix); err != nil {
		return nil, err
	}
	inUse, err := lockResult(o.Out)
	if err != nil {
		return nil, err
	}
	removeOldResults(filepath.Dir(o.Out))
	return func(outcome Outcome) {
		defer inUse.Close()
		artifacts := slices.ContainsFunc(outcome.Jobs, func(j JobOutcome) bool { return j.Artifacts > 0 })
		if outcome.State == runlog.Complete && !artifacts {
			_ = file.RemoveTree(o.Out)
		} else {
			os.Remove(o.Out) // fails unless it is empty
		}
	}, nil
}

// lockResult locks the directory of a run until the file is closed. The error is
// file.ErrBusy if the run is still active.
func lockResult(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := file.TryFlock(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// removeOldResults removes the temporary directories of this user's runs from tmp, except
// the newest resultsMax and any that an active run uses. It ignores errors.
func removeOldResults(tmp string) {
	entries, _ := os.ReadDir(tmp)
	var results []fs.FileInfo
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), resultPrefix)
		if !ok || strings.Trim(number, "0123456789") != "" || !e.IsDir() {
			continue
		}
		info, err := e.Info()
		if err == nil && info.Sys().(*syscall.Stat_t).Uid == uint32(os.Geteuid()) {
			results = append(results, info)
		}
	}
	slices.SortFunc(results, func(a, b fs.FileInfo) int {
		return cmp.Or(b.ModTime().Compare(a.ModTime()), strings.Compare(a.Name(), b.Name()))
	})
	for _, old := range results[min(resultsMax, len(results)):] {
		path := filepath.Join(tmp, old.Name())
		if lock, err := lockResult(path); err == nil {
			_ = file.RemoveTree(path)
			lock.Close()
		}
	}
}
