package executor

import (
	"bytes"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// readSize is the initial capacity of a pipe, in bytes.
	readSize = 64 << 10

	// pipeSize is requested once a command has filled its pipe, so that a command with much
	// output waits less often. The kernel may refuse: large pipes are limited for each
	// user. Short commands keep the small pipe, since a large one takes longer to create.
	pipeSize = 1 << 20

	// pauseAfter is how long the beginning of a line waits for the rest of it. Output must
	// be visible within 100 ms.
	pauseAfter = 50 * time.Millisecond

	// drainMax is how many bytes are read at most once a command has ended: more than its
	// pipe can hold. A background process may print forever.
	drainMax = 2 * pipeSize
)

// A pump copies the output of a command to its sinks, on the goroutine that waits for the
// command. One epoll(7) reports both output and the end of the command. Passing data
// between goroutines would take longer than a short command itself.
type pump struct {
	outlets  []*outlet
	epoll    *os.File        // non-blocking, so that Go's poller waits for it
	conn     syscall.RawConn // of epoll
	woken    atomic.Bool     // makes run return
	deadline time.Time       // the last one that run set for epoll
}

// past is a deadline that ends a wait at once.
var past = time.Unix(1, 0)

// buffers are shared: a pump uses one only while it copies. Allocating one for each short
// command would take noticeable time.
var buffers = sync.Pool{New: func() any { return new([readSize]byte) }}

// An outlet is one output of a command.
type outlet struct {
	fd      int       // of the pipe, non-blocking; -1 once it is closed
	large   bool      // the pipe was full, and pipeSize was requested
	to      sink      // receives the output
	capture *capture  // receives it too
	pause   time.Time // when to call pause for an incomplete line; zero without one
}

func newPump() (*pump, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	p := &pump{epoll: os.NewFile(uintptr(fd), "epoll")}
	p.conn, err = p.epoll.SyscallConn()
	return p, err
}

// add adds an outlet and returns the command's end of its pipe.
func (p *pump) add(to sink, capture *capture) (*os.File, error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	w := os.NewFile(uintptr(fds[1]), "pipe")
	p.outlets = append(p.outlets, &outlet{fd: fds[0], to: to, capture: capture})
	if err := unix.SetNonblock(fds[0], true); err != nil {
		w.Close()
		return nil, os.NewSyscallError("fcntl", err)
	}
	if err := p.watch(fds[0]); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// watch adds fd to the file descriptors that run waits for.
func (p *pump) watch(fd int) error { return p.control(unix.EPOLL_CTL_ADD, fd) }

func (p *pump) control(op, fd int) (err error) {
	closed := p.conn.Control(func(epfd uintptr) {
		err = unix.EpollCtl(int(epfd), op, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
	})
	return os.NewSyscallError("epoll_ctl", errors.Join(err, closed))
}

// wake makes the current or the next call of run return.
func (p *pump) wake() {
	p.woken.Store(true)
	p.epoll.SetReadDeadline(past)
}

// run copies output until the process of pidfd ends. It then copies the output printed so
// far and returns true. If pidfd is -1, it copies until all outputs are closed. It returns
// false after wake. The caller has passed pidfd to watch.
func (p *pump) run(pidfd int) (exited bool) {
	for pidfd >= 0 || p.open() {
		p.arm()
		if p.woken.Swap(false) { // after arm, which may replace the deadline that wake set
			return false
		}
		var events [4]unix.EpollEvent
		var n int
		err := p.conn.Read(func(epfd uintptr) bool {
			n, _ = unix.EpollWait(int(epfd), events[:], 0)
			return n > 0
		})
		if err != nil {
			p.deadline = past
			p.pause()
			continue
		}
		for _, e := range events[:n] {
			if int(e.Fd) == pidfd {
				p.control(unix.EPOLL_CTL_DEL, pidfd)
				p.drain()
				return true
			}
			for _, o := range p.outlets {
				if int(e.Fd) == o.fd {
					o.empty(pipeSize)
				}
			}
		}
	}
	return false
}

// arm sets the deadline to the earliest pause of an outlet.
func (p *pump) arm() {
	var next time.Time
	for _, o := range p.outlets {
		if next.IsZero() || !o.pause.IsZero() && o.pause.Before(next) {
			next = o.pause
		}
	}
	if next != p.deadline {
		p.deadline = next
		p.epoll.SetReadDeadline(next)
	}
}

// pause pauses the outlets whose time has come.
func (p *pump) pause() {
	now := time.Now()
	for _, o := range p.outlets {
		if !o.pause.IsZero() && !now.Before(o.pause) {
			o.pause = time.Time{}
			o.to.pause()
		}
	}
}

// open reports whether an output is still open.
func (p *pump) open() bool {
	for _, o := range p.outlets {
		if o.fd >= 0 {
			return true
		}
	}
	return false
}

// drain copies the available output without waiting.
func (p *pump) drain() {
	for _, o := range p.outlets {
		o.empty(drainMax)
	}
}

// empty copies the available output, but stops after about most bytes.
func (o *outlet) empty(most int) {
	if o.fd < 0 {
		return
	}
	buf := buffers.Get().(*[readSize]byte)
	defer buffers.Put(buf)
	for o.fd >= 0 && most > 0 {
		n := o.read(buf[:])
		if n == 0 {
			return
		}
		most -= n
	}
}

// read copies one piece by means of buf and returns its length, 0 if there is none now or
// the output is closed.
func (o *outlet) read(buf []byte) int {
	n, err := unix.Read(o.fd, buf)
	if n == readSize && !o.large {
		o.large = true
		_, _ = unix.FcntlInt(uintptr(o.fd), unix.F_SETPIPE_SZ, pipeSize)
	}
	switch {
	case n > 0:
		o.pass(buf[:n])
		return n
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return 0
	}
	o.end()
	return 0
}

// pass passes text on. If it leaves a line incomplete, pass sets the time to pause.
func (o *outlet) pass(text []byte) {
	o.capture.add(text)
	waiting := o.to.write(text)
	switch {
	case !waiting:
		o.pause = time.Time{}
	case bytes.IndexByte(text, '\n') >= 0, o.pause.IsZero():
		o.pause = time.Now().Add(pauseAfter)
	}
}

// end closes the outlet, which also removes it from the epoll.
func (o *outlet) end() {
	if o.fd >= 0 {
		unix.Close(o.fd)
		o.fd, o.pause = -1, time.Time{}
		o.to.end()
	}
}

// close copies the available output and closes all outlets.
func (p *pump) close() {
	p.drain()
	for _, o := range p.outlets {
		o.end()
	}
	p.epoll.Close()
}
