package doctor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"quire/lib/runstore"
	"quire/lib/text"
)

// recent is how many of the newest runs are read for their Git directories.
const recent = 100

// A history summarises the runs of a root.
type history struct {
	names   []string // the repository names in the records, with duplicates
	gitDirs []string // the Git directories of the recent runs, each once
	oldest  time.Time
}

// readHistory reads the records. Without records the history is empty.
func (x *exam) readHistory() history {
	var h history
	if x.records == nil {
		return h
	}
	known := map[string]bool{}
	for r, err := range x.records.List(runstore.Filter{}) {
		if err != nil {
			continue // reported by store
		}
		if len(h.names) < recent {
			if run, err := x.records.Find(r.ID); err == nil && !known[run.GitDir] {
				known[run.GitDir] = true
				h.gitDirs = append(h.gitDirs, run.GitDir)
			}
		}
		h.names = append(h.names, r.Repo)
		h.oldest = r.Created
	}
	return h
}

// reconciled checks that reconcile runs regularly: without it, runs whose driver died stay
// active, and pending runs without a driver stay pending.
func (x *exam) reconciled(h history) {
	const often = time.Hour
	info, err := os.Stat(filepath.Join(x.Root, runstore.ReconciledFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if h.oldest.IsZero() || time.Since(h.oldest) < often {
			return
		}
	case err != nil:
		x.wrong(x.Root, "# let this user read it", "%v", text.Cause(err))
		return
	case h.oldest.IsZero() || time.Since(info.ModTime()) < often:
		return
	}
	x.wrong(x.Root, "# add with crontab -e: * * * * * PATH="+text.QuoteLine(filepath.Dir(x.Program))+":$PATH; QUIRE_ROOT="+text.QuoteLine(x.Root)+
		"; export QUIRE_ROOT; quire-runstate reconcile | quire-dispatch", "quire-runstate reconcile has not run for an hour")
}

// paused reports that no run begins because a person paused the root. The repair is a
// comment, because only that person knows when to resume.
func (x *exam) paused() {
	if x.records == nil {
		return
	}
	if err := x.records.Paused(); err != nil {
		x.wrong(x.Root, "# quire-runstate resume", "%v", err)
	}
}
