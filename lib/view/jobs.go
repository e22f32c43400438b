package view

import (
	"quire/lib/runlog"
	"quire/lib/runstore"
)

// endJobs gives an end to the jobs that have none in the events of a run that ended
// without one, for example because its driver was killed. A job that had begun failed for
// the reason of the run; one that had not was skipped for it.
func endJobs(jobs []runlog.JobRecord, s runstore.Status) {
	reason := s.Reason
	if reason == "" {
		reason = string(s.State)
	}
	for i := range jobs {
		j := &jobs[i]
		switch j.State {
		case "active":
			j.State, j.Reason = runlog.Failed, reason
		case "pending":
			j.State, j.Reason = runlog.Skipped, reason
		}
	}
}
