package view

import (
	"testing"

	"quire/lib/runlog"
	"quire/lib/runstore"
)

func TestEndJobs(t *testing.T) {
	for _, test := range []struct {
		status runstore.Change
		job    runlog.JobRecord
		want   string
	}{
		{runstore.Change{State: runstore.Failed, Reason: "orphaned"}, runlog.JobRecord{State: "active"}, "failed orphaned"},
		{runstore.Change{State: runstore.Failed, Reason: "orphaned"}, runlog.JobRecord{State: "pending"}, "skipped orphaned"},
		{runstore.Change{State: runstore.Failed, Reason: "timeout"}, runlog.JobRecord{State: "active"}, "failed timeout"},
		{runstore.Change{State: runstore.Failed, Reason: "cancelled"}, runlog.JobRecord{State: runlog.Complete}, "complete "},
		{runstore.Change{State: runstore.Failed, Reason: "orphaned"}, runlog.JobRecord{State: runlog.Failed, Reason: "exit"}, "failed exit"},
		{runstore.Change{State: runstore.Superseded}, runlog.JobRecord{State: "active"}, "failed superseded"},
	} {
		jobs := []runlog.JobRecord{test.job}
		endJobs(jobs, runstore.Status{Change: test.status})
		if got := jobs[0].State + " " + jobs[0].Reason; got != test.want {
			t.Errorf("%+v of a run that is %+v: got '%s', want '%s'", test.job, test.status, got, test.want)
		}
	}
}
