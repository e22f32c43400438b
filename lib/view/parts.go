package view

import (
	"quire/lib/runlog"
	"quire/lib/runstore"
)

// Record returns the run in one line.
func (v Run) Record() runstore.Record { return v.record }

// Status returns the state of the run and its reason.
func (v Run) Status() runstore.Status { return v.status }

// Over reports whether the run has ended and its driver with it, so that nothing of the run
// changes any more.
func (v Run) Over() bool { return v.over }

// Changes returns the history of the run, oldest change first.
func (v Run) Changes() []runstore.Change { return v.changes }

// Jobs returns the jobs in the order of the graph. If the run has ended, all of them have
// ended, too.
func (v Run) Jobs() []runlog.JobRecord { return v.jobs }

// Why says why the run is in its state, and which records cannot be read; "" if the state
// explains itself.
func (v Run) Why() string { return v.why }
