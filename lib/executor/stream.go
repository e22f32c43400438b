package executor

import (
	"errors"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// pipeSize is asked for, so that a command that prints much is not stopped
	// at each 64 KiB; a user's share of such pipes may be used up, and then it is
	// what it is.
	pipeSize = 1 << 20

	readSize = 64 << 10

	// drainMax is how much is read at most once a command has ended: what its
	// pipe can hold. A background process may go on printing for ever.
	drainMax = 2 * pipeSize
)

// A stream reads one output of a command for as long as anything that the command
// started may print on it.
type stream struct {
	r     *os.File
	sink  func([]byte)  // gets what is read; runs on the stream's own goroutine
	flush func()        // runs once when nothing more comes
	asked chan question // of settle
	ended chan struct{} // closed after flush
}

type question struct {
	last bool
	done chan struct{}
}

// newStream returns the stream and the end of its pipe that is the command's.
func newStream(sink func([]byte), flush func()) (*stream, *os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	_, _ = unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, pipeSize)
	return &stream{
		r: r, sink: sink, flush: flush,
		asked: make(chan question, 1), ended: make(chan struct{}),
	}, w, nil
}

// settle returns once all that was printed before the call has gone to the sink.
// With last, the stream is over.
func (s *stream) settle(last bool) {
	q := question{last, make(chan struct{})}
	select {
	case s.asked <- q:
	case <-s.ended:
		return
	}
	s.r.SetReadDeadline(time.Unix(1, 0)) // wakes copy
	select {
	case <-q.done:
	case <-s.ended:
	}
}

// copy reads until nobody holds the other end any more, or settle says so.
func (s *stream) copy() {
	defer close(s.ended)
	defer s.r.Close()
	defer s.flush()
	buf := make([]byte, readSize)
	for {
		n, err := s.r.Read(buf)
		s.sink(buf[:n])
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			s.r.SetReadDeadline(time.Time{})
			q := <-s.asked
			if over := s.drain(buf); over || q.last {
				return
			}
			close(q.done)
		case err != nil:
			return
		}
	}
}

// drain reads what is there without waiting, and reports whether that was the end.
func (s *stream) drain(buf []byte) (over bool) {
	raw, err := s.r.SyscallConn()
	if err != nil {
		return true
	}
	for total := 0; total < drainMax; {
		var n int
		var failed error
		err := raw.Read(func(fd uintptr) bool {
			n, failed = ignoringEINTR(func() (int, error) { return syscall.Read(int(fd), buf) })
			return true // not to be called again when there is something to read
		})
		if errors.Is(failed, syscall.EAGAIN) {
			return false
		}
		if err != nil || failed != nil || n == 0 {
			return true
		}
		s.sink(buf[:n])
		total += n
	}
	return false
}

func ignoringEINTR(f func() (int, error)) (int, error) {
	for {
		if n, err := f(); !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}

// A capture keeps the first max bytes of what it is given, until it is taken. The
// pieces are of one size, so that a large output is not copied again and again as
// it grows.
type capture struct {
	mu        sync.Mutex
	pieces    [][]byte
	size, max int
	truncated bool
}

const pieceSize = 64 << 10

func (c *capture) add(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if room := c.max - c.size; len(p) > room {
		p, c.truncated = p[:room], true
	}
	c.size += len(p)
	for len(p) > 0 {
		last := len(c.pieces) - 1
		if last < 0 || len(c.pieces[last]) == cap(c.pieces[last]) {
			// Most commands print little.
			size := min(pieceSize, max(1<<10, c.size))
			c.pieces = append(c.pieces, make([]byte, 0, size))
			continue
		}
		piece := c.pieces[last]
		n := min(len(p), cap(piece)-len(piece))
		c.pieces[last] = append(piece, p[:n]...)
		p = p[n:]
	}
}

// take returns what was kept, and whether that was not all. What comes later, from
// a process that the command left, is not kept.
func (c *capture) take() (text string, truncated bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	b.Grow(c.size)
	for _, piece := range c.pieces {
		b.Write(piece)
	}
	c.pieces, c.max, c.size = nil, 0, 0
	return b.String(), c.truncated
}
