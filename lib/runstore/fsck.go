package runstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"quire/lib/file"
	"quire/lib/text"
)

// A Problem is something wrong in the store.
type Problem struct {
	Path   string // below the root
	What   string
	Mended bool

	Warning bool // nothing is wrong with the records, but see What
}

// A checker looks for problems, and repairs them if asked to.
type checker struct {
	*Store
	repair   bool
	problems []Problem
	future   []string          // ids that are dated in the future
	ended    map[string]Record // what the journal should hold
}

// Check compares everything in the store with quire-run(5) and returns the differences.
// If repair is true, it repairs links in live/ and lines of the journal, from the
// directories of the runs; histories, which are cut back to their legal beginning; and
// leftovers of processes that have ended. Other processes may use the store at the same
// time.
//
// A repairing Check calls the store's onEnd, and returns its error with the problems.
func (s *Store) Check(repair bool) ([]Problem, error) {
	c := &checker{Store: s, repair: repair, ended: map[string]Record{}}
	err := c.tmp()
	for _, step := range []func() error{c.unremoved, c.runs, c.links, c.journal, c.dates} {
		if err == nil {
			err = step()
		}
	}
	if repair && s.onEnd != nil && err == nil {
		err = s.onEnd(s)
	}
	if err != nil {
		return c.problems, fmt.Errorf("cannot check '%s': %w", s.root, text.Cause(err))
	}
	return c.problems, nil
}

// report records a problem. mend repairs it; nil if nothing can.
func (c *checker) report(path, what string, mend func() error) {
	if rel, err := filepath.Rel(c.root, path); err == nil {
		path = rel
	}
	p := Problem{Path: path, What: what}
	if c.repair && mend != nil {
		err := mend()
		p.Mended = err == nil
		if err != nil {
			p.What += fmt.Sprintf(" (cannot be mended: %v)", text.Cause(err))
		}
	}
	c.problems = append(c.problems, p)
}

// tmp finds runs that a process was creating or removing when it was killed.
func (c *checker) tmp() error {
	var left []string
	err := c.leftovers(func(name string) error {
		left = append(left, name)
		return nil
	})
	for _, name := range left {
		c.report(c.path("tmp", name), "left by a process that is no more", c.removeLeftovers)
	}
	return err
}

// clockSlack is the greatest difference allowed between the clocks of machines.
const clockSlack = time.Minute

// dates warns of ids dated in the future: a clock was wrong, now or then.
func (c *checker) dates() error {
	if len(c.future) == 0 {
		return nil
	}
	last := slices.Max(c.future)
	what := fmt.Sprintf("%d runs are dated in the future, up to run %s: %s", len(c.future), last, formatTime(timeOf(last)))
	c.problems = append(c.problems, Problem{Path: "runs", What: what, Warning: true})
	return nil
}

// runs checks the directory of each run.
func (c *checker) runs() error {
	top := c.path("runs")
	return filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed since
		}
		if err != nil || !d.IsDir() || !IsID(d.Name()) {
			return err
		}
		if err := c.run(path, d.Name()); err != nil {
			return err
		}
		return fs.SkipDir
	})
}

func (c *checker) run(dir, id string) error {
	if time.Until(timeOf(id)) > clockSlack {
		c.future = append(c.future, id)
	}
	r, err := c.open(dir)
	if err != nil {
		if isDir(dir) {
			c.report(dir, "has no readable run.toml: "+text.Cause(err).Error(), nil)
		}
		return nil
	}
	if r.ID != id || c.runDir(r.Repo, id) != dir {
		c.report(dir, fmt.Sprintf("holds run %s of '%s'", r.ID, text.Escape(r.Repo)), nil)
		return nil
	}
	f, err := file.OpenLocked(filepath.Join(dir, historyFile))
	if errors.Is(err, fs.ErrNotExist) && isDir(dir) {
		c.report(dir, "has no history", func() error { return r.resetHistory() })
		f, err = file.OpenLocked(filepath.Join(dir, historyFile))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	status, size, err := readHistory(f)
	if err != nil {
		c.report(f.Name(), err.Error(), func() (err error) {
			status, err = r.mendHistory(f)
			return err
		})
		if status.State == "" {
			return nil
		}
	} else if info, err := f.Stat(); err == nil && info.Size() > size {
		c.report(f.Name(), "ends in the rest of an interrupted write", func() error { return f.Truncate(size) })
	}
	return c.linked(r, status)
}

// linked checks that the run is in live/ if it has not ended. The caller holds the lock
// of its history, so it cannot end now.
func (c *checker) linked(r *Run, status Status) error {
	link := c.path("live", r.ID)
	if status.State.Final() {
		if exists(link) && !r.wasDriven() { // else its driver or Reconcile removes it
			// The journal line is written before the link is removed.
			c.report(link, "links to a run that has ended", func() error { return r.completeLocked(status) })
		}
		if !exists(link) {
			c.ended[r.ID] = r.recordWith(status)
		}
		return nil
	}
	want := filepath.Join("..", "runs", r.Repo, r.ID)
	got, err := os.Readlink(link)
	if err == nil && got == want {
		return nil
	}
	what := "is missing: the run has not ended"
	if err == nil {
		what = fmt.Sprintf("links to '%s'", text.Escape(got))
	}
	c.report(link, what, func() error {
		if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.Symlink(want, link); err != nil {
			return err
		}
		return file.Sync(c.path("live"))
	})
	return nil
}

// mendHistory keeps the legal beginning of a history. The caller holds its lock.
func (r *Run) mendHistory(f *os.File) (Status, error) {
	text, err := file.Read(f.Name())
	if err != nil {
		return Status{}, err
	}
	var status Status
	size := 0
	for line := range strings.Lines(string(completeLines(text))) {
		c, err := parseChange(strings.TrimSuffix(line, "\n"))
		if err != nil || !status.State.mayBecome(c.State) {
			break
		}
		status.apply(c)
		size += len(line)
	}
	if err := f.Truncate(int64(size)); err != nil {
		return Status{}, err
	}
	if size > 0 {
		return status, f.Sync()
	}
	return r.lost(f)
}

// lost ends a run whose history is lost: its jobs may have run already.
func (r *Run) lost(f *os.File) (Status, error) {
	now := time.Now()
	end := Change{State: Failed, Reason: "internal", Note: "its history was lost", Time: now}
	first := Change{State: Pending, Time: r.PushedAt}
	var status Status
	status.apply(first)
	status.apply(end)
	_, err := f.WriteString(formatChange(first) + formatChange(end))
	return status, errors.Join(err, f.Sync())
}

// resetHistory creates a history for a run that has none.
func (r *Run) resetHistory() error {
	f, err := file.OpenFile(filepath.Join(r.Dir, historyFile), os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := r.lost(f); err != nil {
		return err
	}
	return file.Sync(r.Dir)
}

// links finds entries of live/ that are no link to a run.
func (c *checker) links() error {
	entries, err := os.ReadDir(c.path("live"))
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := c.path("live", e.Name())
		switch {
		case !IsID(e.Name()):
			c.report(path, "is not the link of a run", func() error { return os.Remove(path) })
		case c.dangling(e.Name()):
			c.report(path, "leads to no run", func() error { return c.removeDangling(e.Name()) })
		}
	}
	return nil
}
