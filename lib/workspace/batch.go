package workspace

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Policies of sched(7).
const (
	normalPolicy = 0 // SCHED_OTHER
	batchPolicy  = 3 // SCHED_BATCH
)

// asBatch makes this process, and those of git that it starts, batch work for the scheduler,
// see sched(7), until restore is called. Each worker waits for a git of its own, and would
// take the processor from it for every object that it writes: of ten times that processes
// were switched nine are gone, and with them a tenth of the time they all take.
//
// What has another policy than the usual one keeps it. Where the system does not allow it,
// nothing is lost but time.
func asBatch() (restore func()) {
	if !setPolicy(normalPolicy, batchPolicy) {
		return func() {}
	}
	return func() { setPolicy(batchPolicy, normalPolicy) }
}

// setPolicy changes the policy of the threads that have the one into the other, and reports
// whether there were any. A thread may be started while others are looked at, and has the
// policy of that which starts it: they are looked at until none is left.
func setPolicy(from, to uint32) bool {
	const tries = 10 // where a sandbox says that it was done, and did not
	found := 0
	for range tries {
		n := setPolicyOnce(from, to)
		if n == 0 {
			break
		}
		found += n
	}
	return found > 0
}

// setPolicyOnce returns how many threads had the policy.
func setPolicyOnce(from, to uint32) (found int) {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return 0
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			continue
		}
		now, err := unix.SchedGetAttr(id, 0)
		if err != nil || now.Policy != from {
			continue
		}
		wanted := &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: to, Nice: now.Nice}
		if unix.SchedSetAttr(id, wanted, 0) == nil {
			found++
		}
	}
	return found
}
