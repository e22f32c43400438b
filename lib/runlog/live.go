package runlog

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

const (
	// liveBuffer is the size of each of two buffers in bytes: one is filled while the
	// other is written.
	liveBuffer = 2 << 20

	// liveWait is how long a write to a full buffer waits for the reader: a reader delays
	// a run by at most this time whenever it falls behind.
	liveWait = time.Second

	// liveEnd is how long Close waits for a reader that does not read.
	liveEnd = 3 * time.Second
)

// A Live passes output to a live reader: a pusher, a pager, a terminal. A write waits for the
// reader at most liveWait. If the reader is too slow, output is dropped, and a line says how
// much.
type Live struct {
	w      io.Writer
	broken func(error) // called when a write to w fails

	mu     sync.Mutex
	moved  *sync.Cond // the reader took something, or the state changed
	buf    []byte     // waits to be written
	lost   int        // bytes since the reader fell behind
	behind bool       // nothing is added until buf is empty
	closed bool
	failed bool // the reader is gone
	busy   bool // the other buffer is being written
	moves  int  // how many writes to w have ended
}

// NewLive returns a Live for the reader of w. If w is a regular file or /dev/null, where no
// reader can block a write, output is w itself. If broken is not nil, it is called with the
// first error of w, such as EPIPE. The caller must call end after the last write.
func NewLive(w io.Writer, broken func(error)) (output io.Writer, end func()) {
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		null, nullErr := os.Stat(os.DevNull)
		if err == nil && (info.Mode().IsRegular() || nullErr == nil && os.SameFile(info, null)) {
			return w, func() {}
		}
	}
	l := &Live{w: w, broken: broken}
	l.moved = sync.NewCond(&l.mu)
	go l.pass()
	return l, l.end
}

// Write passes on p. It never fails, because the logs have all output.
func (l *Live) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.behind = l.behind && len(l.buf) > 0
	if !l.behind && !l.failed && len(l.buf)+len(p) > liveBuffer {
		l.await(liveWait, func() bool { return l.failed || len(l.buf)+len(p) <= liveBuffer })
		l.behind = len(l.buf)+len(p) > liveBuffer
	}
	switch {
	case l.failed:
	case l.behind:
		l.lost += len(p)
	default:
		l.noteLost()
		l.buf = append(l.buf, p...)
		l.moved.Broadcast()
	}
	return len(p), nil
}

// noteLost adds the line that says how much was dropped.
func (l *Live) noteLost() {
	if l.lost > 0 {
		l.buf = fmt.Appendf(l.buf, "quire: %d bytes of output are not shown here because they were not read in time; the log has them\n", l.lost)
		l.lost = 0
	}
}

// await waits until done returns true, or until the time most has passed.
func (l *Live) await(most time.Duration, done func() bool) {
	over := false
	timer := time.AfterFunc(most, func() {
		l.mu.Lock()
		over = true
		l.mu.Unlock()
		l.moved.Broadcast()
	})
	defer timer.Stop()
	for !over && !done() {
		l.moved.Wait()
	}
}

// pass writes the buffers to w until end is called and they are empty.
func (l *Live) pass() {
	var taken []byte
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		for len(l.buf) == 0 && !l.closed {
			l.moved.Wait()
		}
		if len(l.buf) == 0 {
			return
		}
		taken, l.buf = l.buf, taken[:0]
		l.busy = true
		for rest := taken; len(rest) > 0 && !l.failed; {
			n := min(len(rest), MaxEntry)
			l.moved.Broadcast()
			l.mu.Unlock()
			_, err := l.w.Write(rest[:n])
			l.mu.Lock()
			rest = rest[n:]
			l.moves++
			if err != nil {
				l.failed, l.buf = true, nil
				if l.broken != nil {
					l.broken(err)
				}
			}
		}
		l.busy = false
		l.moved.Broadcast()
	}
}

// end waits until everything was written, as long as the reader continues to read.
func (l *Live) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.noteLost()
	l.closed = true
	l.moved.Broadcast()
	for !l.failed && (l.busy || len(l.buf) > 0) {
		moves := l.moves
		l.await(liveEnd, func() bool { return l.moves != moves || l.failed || !l.busy && len(l.buf) == 0 })
		if l.moves == moves {
			return
		}
	}
}
