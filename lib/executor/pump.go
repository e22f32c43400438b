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
	// readSize is what a pipe holds at first.
	readSize = 64 << 10

	// pipeSize is asked for once a command has filled its pipe, so that one that
	// prints much is not stopped all the time; a user's share of such pipes may
	// be used up, and then it is what it is. For a short command a large pipe
	// takes longer to make than all it prints.
	pipeSize = 1 << 20

	// pauseAfter is how long the beginning of a line waits for the rest of it. What
	// is printed is to be seen within 100 ms.
	pauseAfter = 50 * time.Millisecond

	// drainMax is how much is read at most once a command has ended: what its
	// pipe can hold. A background process may go on printing for ever.
	drainMax = 2 * pipeSize
)

// A pump moves what a command prints to where it goes, on the goroutine that waits
// for the command. One epoll(7) for the outputs and the end of the command means
// that nothing has to be handed from goroutine to goroutine, which for a short
// command would take longer than the command.
type pump struct {
	outlets  []*outlet
	epoll    *os.File        // non-blocking, so that it is Go's poller that waits
	conn     syscall.RawConn // of epoll
	woken    atomic.Bool     // run is to return
	deadline time.Time       // of epoll, as far as run knows
}

// past is a deadline that ends a wait at once.
var past = time.Unix(1, 0)

// buffers hold what is on its way. A pump has one only while it moves something:
// for a short command, to clear and to collect so much memory is work that shows.
var buffers = sync.Pool{New: func() any { return new([readSize]byte) }}

// An outlet is one output of a command.
type outlet struct {
	fd    int       // of the pipe, non-blocking; -1 after its end
	large bool      // the pipe has been full, and pipeSize asked for
	to    sink      // gets what is read
	keep  *capture  // likewise
	pause time.Time // when the line that has begun is to be paused at; zero without one
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

// add adds an outlet and returns the end of its pipe that is the command's.
func (p *pump) add(to sink, keep *capture) (*os.File, error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	w := os.NewFile(uintptr(fds[1]), "pipe")
	p.outlets = append(p.outlets, &outlet{fd: fds[0], to: to, keep: keep})
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

// watch makes run look at fd.
func (p *pump) watch(fd int) error { return p.control(unix.EPOLL_CTL_ADD, fd) }

func (p *pump) control(op, fd int) (err error) {
	closed := p.conn.Control(func(epfd uintptr) {
		err = unix.EpollCtl(int(epfd), op, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
	})
	return os.NewSyscallError("epoll_ctl", errors.Join(err, closed))
}

// wake makes the present run return, or the next.
func (p *pump) wake() {
	p.woken.Store(true)
	p.epoll.SetReadDeadline(past)
}

// run moves output until the process of pidfd, which is watched, has ended and what
// was printed by then is moved; that is reported as true. With a pidfd of -1 it
// goes on until all outputs are at their ends. A wake ends it earlier.
func (p *pump) run(pidfd int) (exited bool) {
	for pidfd >= 0 || p.open() {
		p.arm()
		if p.woken.Swap(false) { // looked at after arm, which may undo what wake did
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

// arm sets the deadline to when the first line has to be paused at.
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

// pause pauses at the lines whose time has come.
func (p *pump) pause() {
	now := time.Now()
	for _, o := range p.outlets {
		if !o.pause.IsZero() && !now.Before(o.pause) {
			o.pause = time.Time{}
			o.to.pause()
		}
	}
}

// open reports whether anybody may still print.
func (p *pump) open() bool {
	for _, o := range p.outlets {
		if o.fd >= 0 {
			return true
		}
	}
	return false
}

// drain moves what is there, without waiting.
func (p *pump) drain() {
	for _, o := range p.outlets {
		o.empty(drainMax)
	}
}

// empty moves what is there, or some most bytes of it.
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

// read moves one piece by way of buf and returns its length, 0 where there is none
// now or no more.
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

// pass hands on what was read, and notes when a line began that has not ended.
func (o *outlet) pass(text []byte) {
	o.keep.add(text)
	waiting := o.to.write(text)
	switch {
	case !waiting:
		o.pause = time.Time{}
	case bytes.IndexByte(text, '\n') >= 0, o.pause.IsZero():
		o.pause = time.Now().Add(pauseAfter)
	}
}

// end closes the outlet. Epoll forgets what is closed.
func (o *outlet) end() {
	if o.fd >= 0 {
		unix.Close(o.fd)
		o.fd, o.pause = -1, time.Time{}
		o.to.end()
	}
}

// close moves what is there and is the end of it all.
func (p *pump) close() {
	p.drain()
	for _, o := range p.outlets {
		o.end()
	}
	p.epoll.Close()
}
