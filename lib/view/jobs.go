package view

import (
	"quire/lib/runlog"
	"quire/lib/runstore"
)

// endJobs ends the jobs of a run that has ended without ending them, for example because its
// driver was killed. A job that had begun failed for the reason of the run; one that had not
// was skipped for that reason.
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
