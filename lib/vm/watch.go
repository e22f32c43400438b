package vm

import (
	"runtime"
	"sync"
	"time"
)

// usage is the size of the process's heap and goroutine stacks, in bytes.
type usage struct {
	heap   uint64 // including garbage
	rest   uint64 // heap after the last collection, a lower bound for the heap without garbage
	stacks uint64
}

// readUsage stops the world for about ten microseconds. Package runtime/metrics does
// not, but its tables would slow the start of commands that evaluate nothing.
func readUsage() usage {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	// The next collection is due when the heap has doubled since the last one.
	return usage{s.HeapAlloc, min(s.HeapAlloc, s.NextGC/2), s.StackInuse}
}

const (
	// watchInterval is short enough that Lua instructions allocate only a few megabytes in
	// between. Functions that allocate a lot at once use checkAlloc.
	watchInterval = 2 * time.Millisecond

	// watchAfter is the processor time that Lua may use before a watch starts. In a new
	// process, a pipeline of a few lines takes a fifth to a half of it.
	watchAfter = 10 * time.Millisecond

	// maxStack is how much the goroutine stacks may grow, in bytes. Go ends the process
	// at 1 GB for one goroutine and doubles a stack that is full, so this leaves
	// two doublings of room.
	maxStack = 160 << 20
)

// A watch measures processor time and memory while a stretch of Lua runs. gopher-lua does
// not count its allocations, so the memory of the whole process is measured, which also
// holds the output of commands. Exceeding the limit therefore counts only if the heap grew
// by an eighth of the limit in this stretch. Twice the limit may never be exceeded.
type watch struct {
	call  *call
	clock clock
	start usage

	mu    sync.Mutex
	timer *time.Timer // nil after stop
}

func startWatch(t *call) *watch {
	w := &watch{call: t, clock: t.clock, start: readUsage()}
	if t.vm.baseline == 0 {
		t.vm.baseline = w.start.rest
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(watchInterval, w.check)
	return w
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer.Stop()
	w.timer = nil
}

// unlessStopped calls f if the stretch still runs. Otherwise the memory that was measured
// may not be Lua's.
func (w *watch) unlessStopped(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		f()
	}
}

func (w *watch) exceed(k LimitKind) { w.unlessStopped(func() { w.call.exceed(k) }) }

// check fails the call if its context has ended or if it exceeds a limit. Otherwise it
// schedules the next check.
//
// The size of the heap includes garbage. If the heap is too large, check therefore collects
// the garbage and measures again. It skips that if the heap grew so much in this stretch
// that garbage alone cannot be the reason: the collector starts when the heap has doubled.
func (w *watch) check() {
	var spent time.Duration
	w.unlessStopped(func() {
		w.call.watchContext()
		spent = w.clock.elapsed()
	})
	if spent > w.call.vm.limits.Time {
		w.exceed(Time)
		return
	}
	now, began := readUsage(), time.Now()
	limit := w.call.vm.limits.Memory
	if now.stacks > w.start.stacks+maxStack {
		w.exceed(Depth)
		return
	}
	base := w.call.vm.baseline
	over := func(u usage) bool {
		inStretch := u.heap > w.start.rest+limit/8
		return u.heap > base+limit && inStretch || u.heap > base+2*limit
	}
	if over(now) && now.heap < w.start.heap+2*limit {
		w.unlessStopped(func() {
			w.call.pause(func() {
				runtime.GC()
				now = readUsage()
			})
		})
	}
	if over(now) {
		w.exceed(Memory)
		return
	}
	// The added time keeps a heap that is nearly full from being collected all the time.
	w.unlessStopped(func() { w.timer.Reset(watchInterval + 2*time.Since(began)) })
}
