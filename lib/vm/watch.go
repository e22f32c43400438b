package vm

import (
	"runtime"
	"sync"
	"time"
)

// usage is the size of the process's heap and goroutine stacks, in bytes.
type usage struct {
	heap   uint64 // with the garbage that is not yet collected
	rest   uint64 // what the last collection left; the heap without garbage is no smaller
	stacks uint64
}

// readUsage stops the world for some ten microseconds. Package runtime/metrics does
// not, but commands that evaluate nothing would pay for its tables as they start.
func readUsage() usage {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	// The next collection is due when the heap has doubled since the last one.
	return usage{s.HeapAlloc, min(s.HeapAlloc, s.NextGC/2), s.StackInuse}
}

const (
	// watchEvery is short enough that plain Lua allocates only a few megabytes in
	// between. Functions that allocate a lot in one go check that themselves.
	watchEvery = 2 * time.Millisecond

	// watchAfter is the processor time that Lua may use before it is watched at all. In a
	// process that has just begun, a pipeline of a few lines takes a fifth to a half of it.
	watchAfter = 10 * time.Millisecond

	// maxStack is by how much the goroutine stacks may grow. Go ends the process
	// at 1 GB for one goroutine and doubles a stack that is full, so this leaves
	// two doublings of room.
	maxStack = 160 << 20
)

// A watch measures processor time and memory while a stretch of Lua runs. gopher-lua
// does not count what it allocates, so the memory is that of the process. The process
// also keeps the output of commands. Exceeding the limit therefore only counts if this
// stretch has itself taken a share of it, up to a multiple of the limit that nothing
// may exceed.
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
	w.timer = time.AfterFunc(watchEvery, w.look)
	return w
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer.Stop()
	w.timer = nil
}

// unlessStopped calls f if the stretch still runs. What was measured may come from
// outside of Lua otherwise.
func (w *watch) unlessStopped(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		f()
	}
}

func (w *watch) exceed(k LimitKind) { w.unlessStopped(func() { w.call.exceed(k) }) }

// look fails the call if its context has ended or if it exceeds a limit. Otherwise it
// arranges for the next look.
//
// The size of the heap includes garbage. A heap that is too large is therefore
// collected and measured again. That is skipped if the heap grew so much in this
// stretch that garbage alone cannot be the reason: the collector starts when a heap
// has doubled.
func (w *watch) look() {
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
		mine := u.heap > w.start.rest+limit/8
		return u.heap > base+limit && mine || u.heap > base+2*limit
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
	// A heap that is nearly full must not be collected all the time.
	w.unlessStopped(func() { w.timer.Reset(watchEvery + 2*time.Since(began)) })
}
