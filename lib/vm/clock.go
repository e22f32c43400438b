package vm

import (
	"time"

	"golang.org/x/sys/unix"
)

// A clock measures the processor time of one operating system thread since the clock was
// made. Other threads may read it. Neither the time that the thread waits for a processor
// counts, so that a busy machine ends no honest pipeline, nor the time of other threads.
type clock struct {
	id    int32
	start time.Duration
}

// threadClock returns a clock of the calling thread. The caller must have called
// runtime.LockOSThread.
func threadClock() clock {
	// Linux derives the identifier of a thread's clock from the thread's number, as
	// in pthread_getcpuclockid(3).
	const perThread, scheduler = 4, 2
	c := clock{id: int32(^unix.Gettid()<<3 | perThread | scheduler)}
	c.start = c.read()
	return c
}

// processClock measures the processor time of all threads.
var processClock = clock{id: unix.CLOCK_PROCESS_CPUTIME_ID}

// elapsed returns the processor time since the clock was made.
func (c clock) elapsed() time.Duration { return c.read() - c.start }

func (c clock) read() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(c.id, &t); err != nil {
		// Unexpected: the thread lives while its goroutine runs Lua. Wall time is the
		// only bound left.
		unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	}
	return time.Duration(t.Nano())
}
