package vm

import (
	"runtime"
	"sync"
	"time"
)

// usage is what the process's heap and goroutine stacks take, in bytes.
type usage struct {
	heap   uint64 // with the garbage that is still to be collected
	rest   uint64 // without, as far as it is known: what the last collection left
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
	// watchEvery is short enough that plain Lua allocates a few megabytes in
	// between. What allocates a lot in one go is bounded where it does.
	watchEvery = 2 * time.Millisecond

	// maxStack is by how much the goroutine stacks may grow. Go ends the process
	// at 1 GB for one goroutine and doubles a stack that is full, so this leaves
	// two doublings of room.
	maxStack = 160 << 20
)

// A watch looks at the process's memory while a stretch of Lua runs. gopher-lua
// does not count what it allocates, so the process is measured, not the state; and
// since the process also keeps what commands print, going over the limit counts
// only for a stretch that has itself taken a share of it, up to a multiple of the
// limit that nothing may take.
type watch struct {
	turn  *turn
	start usage

	mu    sync.Mutex
	timer *time.Timer // nil after stop
}

func startWatch(t *turn) *watch {
	w := &watch{turn: t, start: readUsage()}
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

// heed lets the turn's context end the stretch, unless that is over.
func (w *watch) heed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.turn.heed()
	}
}

// again arranges for the next look, unless the stretch is over.
func (w *watch) again(after time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Reset(after)
	}
}

// exceed fails the turn, unless the stretch is over: what is measured may come from
// outside of Lua then.
func (w *watch) exceed(k LimitKind) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.turn.exceed(k)
	}
}

// look fails the turn when its context has ended or too much is in use. The heap's size includes garbage
// that is still to be collected, so one that is too large is collected and
// measured again; unless it grew by so much in this stretch that garbage alone
// cannot be it, since the collector starts when a heap has doubled.
func (w *watch) look() {
	w.heed()
	now, began := readUsage(), time.Now()
	limit := w.turn.vm.limits.Memory
	if now.stacks > w.start.stacks+maxStack {
		w.exceed(Depth)
		return
	}
	base := w.turn.vm.baseline
	over := func(u usage) bool {
		mine := u.heap > w.start.rest+limit/8
		return u.heap > base+limit && mine || u.heap > base+4*limit
	}
	if over(now) && now.heap < w.start.heap+3*limit {
		runtime.GC()
		now = readUsage()
	}
	if over(now) {
		w.exceed(Memory)
		return
	}
	// A heap that is nearly full must not be collected all the time.
	w.again(watchEvery + 2*time.Since(began))
}
