package runstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"quire/lib/file"
	"quire/lib/process"
	"quire/lib/runlog"
	"quire/lib/text"
)

// A Report says what Reconcile found.
type Report struct {
	Orphaned []*Run // active runs, and pending Gate runs, without a driver; failed now
	Ended    []*Run // ended runs whose driver was killed before it was done
	Pending  []*Run // pending runs without a driver, oldest first
	Failures []error
}

// Reconcile repairs the store after a crash. It ends the remaining processes of active
// runs without a driver, with grace between SIGTERM and SIGKILL, and fails those runs as
// orphaned. It fails pending Gate runs without a driver too. It completes interrupted changes. It
// removes leftovers of runs that were being created or removed. Any number of processes may
// call it at any time.
//
// The processes of an orphan are those with QUIRE_RUN=ID in their environment, those that
// belong to them, and those in the run's control group. If the run has no group, its note
// says which processes were not looked for. One run's failure does not keep the others
// waiting.
func (s *Store) Reconcile(grace time.Duration) (*Report, error) {
	var report Report
	if err := s.removeLeftovers(); err != nil { // leftovers keep no run waiting
		report.Failures = append(report.Failures, fmt.Errorf("cannot remove leftovers in '%s': %w", s.path("tmp"), text.Cause(err)))
	}
	names, err := s.liveNames()
	if err != nil {
		return nil, fmt.Errorf("cannot reconcile '%s': %w", s.root, text.Cause(err))
	}
	var abandoned []*Run
	for _, id := range names {
		r, err := s.liveRun(id)
		if errors.Is(err, fs.ErrNotExist) {
			err = s.removeDangling(id)
		} else if err == nil {
			err = r.reconcile(&report, &abandoned)
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			report.Failures = append(report.Failures, err)
		}
	}
	s.failOrphans(abandoned, &report, grace)
	if s.onEnd != nil {
		if err := s.onEnd(s); err != nil {
			report.Failures = append(report.Failures, err)
		}
	}
	if err := s.noteReconciled(); err != nil {
		report.Failures = append(report.Failures, fmt.Errorf("cannot note in '%s' that it was reconciled: %w", s.root, text.Cause(err)))
	}
	return &report, nil
}

// Abandoned reports whether the run has begun and its driver is gone, but its processes
// may not be. Until they have been ended, no other run may use what belongs to this one.
func (r *Run) Abandoned() (bool, error) {
	driven, err := r.Driven()
	if err != nil || driven || !r.wasDriven() {
		return false, err
	}
	return r.store.isAbandoned(queueRun{id: r.ID, repo: r.Repo, dir: r.Dir}), nil
}

// EndOrphans does the work of Reconcile for some Abandoned runs, at once: it ends their
// remaining processes, with grace between SIGTERM and SIGKILL, and fails the active ones
// as orphaned. It leaves other runs alone.
func (s *Store) EndOrphans(grace time.Duration, runs ...*Run) error {
	var report Report
	s.failOrphans(runs, &report, grace)
	if s.onEnd != nil {
		report.Failures = append(report.Failures, s.onEnd(s))
	}
	return errors.Join(report.Failures...)
}

// ReconciledFile is the name of a file in the root. Its modification time is the end of
// the last Reconcile.
const ReconciledFile = "reconciled"

func (s *Store) noteReconciled() error {
	path := s.path(ReconciledFile)
	now := time.Now()
	if err := os.Chtimes(path, now, now); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return file.Write(path, nil, 0o600)
}

// dangling reports whether a link in live/ leads nowhere, and always will. A new run is first in
// a stage and then in its directory: checked in this order, one of them has it.
func (s *Store) dangling(id string) bool {
	return !exists(s.path("tmp", id)) && !exists(s.path("live", id, factsFile)) && exists(s.path("live", id))
}

func (s *Store) removeDangling(id string) error {
	if !s.dangling(id) {
		return nil
	}
	err := os.Remove(s.path("live", id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// reconcile looks at one run, and adds it to report or, if its driver seems to be gone,
// to abandoned. Another process may have ended such a run.
func (r *Run) reconcile(report *Report, abandoned *[]*Run) error {
	status, err := r.Status()
	if err != nil {
		return err
	}
	if status.State.Final() && !r.wasDriven() {
		return r.complete()
	}
	driven, err := r.Driven()
	switch {
	case err != nil || driven:
		return err
	case status.State == Pending:
		if placed, err := r.store.hasPlace(r.ID); placed || err != nil {
			return err // its dispatcher drives it in its turn
		}
		if r.Gate { // its push has ended, and perhaps its commit is gone
			*abandoned = append(*abandoned, r)
			break
		}
		report.Pending = append(report.Pending, r)
	default:
		*abandoned = append(*abandoned, r)
	}
	return nil
}

// failOrphans fails active runs whose driver is gone, unless another process has ended
// them. Holding a run's lock makes this process its only driver: if the run is still
// active, its old driver is gone. All runs share one grace for their processes.
func (s *Store) failOrphans(runs []*Run, report *Report, grace time.Duration) {
	var marks []string
	var orphans []*Run
	var drivers []*Driver
	for _, r := range runs {
		driver, err := r.Drive()
		if errors.Is(err, ErrBusy) || errors.Is(err, ErrNotFound) {
			continue // it has a driver again, or was ended and removed
		}
		if err != nil {
			report.Failures = append(report.Failures, err)
			continue
		}
		defer driver.unlock() // all are held until all have failed
		switch status, err := r.Status(); {
		case err != nil || status.State == Pending && !r.Gate || !exists(s.path("live", r.ID)):
			continue // or the driver unlocked in between
		case !status.State.Final():
			orphans = append(orphans, r)
		default:
			report.Ended = append(report.Ended, r)
		}
		marks = append(marks, "QUIRE_RUN="+r.ID)
		drivers = append(drivers, driver)
	}
	if len(marks) == 0 {
		return
	}
	unchecked := process.EndEnviron(grace, marks...)
	if unchecked != nil {
		report.Failures = append(report.Failures, unchecked)
	}
	notes := map[*Run]string{}
	for _, d := range drivers {
		d.began = unchecked == nil
		had, err := d.EndCgroup()
		if err != nil {
			report.Failures = append(report.Failures, err)
		}
		notes[d.run] = leftNote(had, errors.Join(unchecked, err))
	}
	for _, r := range orphans {
		if err := r.endLog(notes[r]); err != nil {
			report.Failures = append(report.Failures, err)
		}
		err := r.transition(Change{State: Failed, Reason: "orphaned", Note: notes[r]})
		var refused *StateError
		switch {
		case err == nil:
			report.Orphaned = append(report.Orphaned, r)
		case !errors.As(err, &refused):
			report.Failures = append(report.Failures, err)
		}
	}
}

// endLog writes to the end of the log of an orphan why it fails. It is written first, for
// readers who wait for the end of the run.
func (r *Run) endLog(note string) error {
	why := "failed, reason orphaned: its driver was killed, or the machine went down"
	if note != "" {
		why += "; " + note
	}
	if err := runlog.EndRunLog(filepath.Join(r.Dir, LogFile), "quire: %s run %s: %s", runlog.Now(), r.ID, why); err != nil {
		return fmt.Errorf("cannot write log of run %s: %w", r.ID, err)
	}
	return nil
}

// leftNote says which processes of an orphan may be left, "" if there are none.
func leftNote(hadCgroup bool, err error) string {
	switch {
	case err != nil:
		return "processes may be left: " + text.Line(err.Error())
	case !hadCgroup:
		return "no control group: processes that changed both session and environment were not looked for"
	}
	return ""
}

// complete finishes the interrupted end of a run. It holds the lock of the history, so no
// other process does the same.
func (r *Run) complete() error {
	f, err := file.OpenLocked(filepath.Join(r.Dir, historyFile))
	if err != nil {
		return r.gone(err)
	}
	defer f.Close()
	status, _, err := readHistory(f)
	if err != nil || !status.State.Final() || !exists(r.store.path("live", r.ID)) {
		return err
	}
	// The writer may have been killed between its write and its sync.
	if err := file.SyncData(f); err != nil {
		return err
	}
	return r.completeLocked(status)
}

// completeLocked is complete for a caller that holds the lock of the history.
func (r *Run) completeLocked(status Status) error {
	switch _, err := r.store.findInJournal(r.ID); {
	case err == nil:
		return r.store.unlink(r.ID)
	case !errors.Is(err, ErrNotFound):
		return err
	}
	if err := r.store.noteEnds(r.recordWith(status)); err != nil {
		return err
	}
	return r.store.unlink(r.ID)
}
