package doctor

import (
	"time"

	"quire/lib/config"
	"quire/lib/runstore"
	"quire/lib/text"
)

// overdue looks for runs that are active beyond their timeout. Their drivers hang or are
// stopped, and keep their slots of max-runs.
func (x *exam) overdue(s *runstore.Store, cfg *config.Config) {
	for r, err := range s.Live() {
		if err != nil {
			continue // Check reports it
		}
		status, err := r.Status()
		if err != nil || status.State != runstore.Active {
			continue
		}
		if by := beyond(status.Started, cfg.For(r.Repo), time.Now()); by > 0 {
			x.wrong(r.Dir, "quire-runstate --root "+text.QuoteLine(x.Root)+" cancel "+r.ID,
				"is active, %s beyond its timeout", by.Round(time.Second))
		}
	}
}

// beyond returns by how much a run that is active since started is beyond its timeout and
// the time that its processes have to end; 0 if it is not.
func beyond(started time.Time, s config.Settings, now time.Time) time.Duration {
	if s.Timeout == 0 {
		return 0
	}
	return max(0, now.Sub(started)-s.Timeout-s.Grace-slack)
}
