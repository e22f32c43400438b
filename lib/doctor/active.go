package doctor

import (
	"time"

	"quire/lib/config"
	"quire/lib/runstore"
	"quire/lib/text"
)

// active reports each active run that has no driver, and each one that is active beyond its
// timeout: its driver hangs or is stopped, and keeps a slot of max-runs. Timeouts are not
// checked if the configuration cannot be read.
func (x *exam) active() {
	root := text.QuoteLine(x.Root)
	for r, err := range x.records.Live() {
		if err != nil {
			continue // Check reports it
		}
		status, err := r.Status()
		if err != nil || status.State != runstore.Active {
			continue
		}
		driven, err := r.Driven()
		if again, failed := r.Status(); err != nil || failed != nil || again.State != runstore.Active {
			continue // it has just ended
		}
		if !driven {
			x.wrong(r.Dir, "QUIRE_ROOT="+root+"; export QUIRE_ROOT; quire-runstate reconcile | quire-dispatch",
				"is active, but has no driver")
			continue
		}
		if x.cfg == nil {
			continue
		}
		if by := overdue(status.Started, x.cfg.For(r.Repo), time.Now()); by > 0 {
			x.wrong(r.Dir, "quire-runstate --root "+root+" cancel "+r.ID, "is active, %s beyond its timeout", by.Round(time.Second))
		}
	}
}

// overdue returns how long a run that is active since started has exceeded its timeout and
// its grace period, or 0.
func overdue(started time.Time, s config.Settings, now time.Time) time.Duration {
	if s.Timeout == 0 {
		return 0
	}
	return max(0, now.Sub(started)-s.Timeout-s.Grace-maxClockSkew)
}
