package executor

import (
	"errors"
	"os"

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

// A pump moves what a command prints to where it goes, on the goroutine that waits
// for the command. One poll(2) for the outputs and the end of the command means
// that nothing has to be handed from thread to thread, which for a short command
// would take longer than the command.
type pump struct {
	outlets []*outlet
	wakeup  int // an eventfd(2) that ends a wait
	buf     []byte
}

// An outlet is one output of a command.
type outlet struct {
	fd    int          // of the pipe, non-blocking; -1 after its end
	sink  func([]byte) // gets what is read
	flush func()       // called once, when nothing more comes
}

func newPump() (*pump, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("eventfd", err)
	}
	return &pump{wakeup: fd, buf: make([]byte, readSize)}, nil
}

// add adds an outlet and returns the end of its pipe that is the command's.
func (p *pump) add(sink func([]byte), flush func()) (*os.File, error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	_, _ = unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, pipeSize)
	if err := unix.SetNonblock(fds[0], true); err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	p.outlets = append(p.outlets, &outlet{fds[0], sink, flush})
	return os.NewFile(uintptr(fds[1]), "|1"), nil
}

// wake makes the present run return, or the next.
func (p *pump) wake() {
	_, _ = unix.Write(p.wakeup, []byte{1, 0, 0, 0, 0, 0, 0, 0})
}

// run moves output until the process of pidfd has ended and what was printed by
// then is moved; that is reported as true. With a pidfd of -1 it goes on until all
// outputs are at their ends. A wake ends it earlier.
func (p *pump) run(pidfd int) (exited bool) {
	for pidfd >= 0 || p.open() {
		fds := []unix.PollFd{{Fd: int32(p.wakeup), Events: unix.POLLIN}, {Fd: int32(pidfd), Events: unix.POLLIN}}
		for _, o := range p.outlets {
			fds = append(fds, unix.PollFd{Fd: int32(o.fd), Events: unix.POLLIN}) // poll passes over -1
		}
		if _, err := unix.Poll(fds, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return false
		}
		switch {
		case fds[1].Revents != 0:
			p.drain()
			return true
		case fds[0].Revents != 0:
			_, _ = unix.Read(p.wakeup, make([]byte, 8))
			return false
		}
		for i, o := range p.outlets {
			if fds[i+2].Revents != 0 {
				p.read(o)
			}
		}
	}
	return false
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
		for total := 0; o.fd >= 0 && total < drainMax; {
			n := p.read(o)
			if n == 0 {
				break
			}
			total += n
		}
	}
}

// read moves one piece and returns its length, 0 where there is none now or no
// more.
func (p *pump) read(o *outlet) int {
	n, err := unix.Read(o.fd, p.buf)
	switch {
	case n > 0:
		o.sink(p.buf[:n])
		return n
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return 0
	}
	o.end()
	return 0
}

func (o *outlet) end() {
	if o.fd >= 0 {
		unix.Close(o.fd)
		o.fd = -1
		o.flush()
	}
}

// close moves what is there and is the end of it all.
func (p *pump) close() {
	p.drain()
	for _, o := range p.outlets {
		o.end()
	}
	unix.Close(p.wakeup)
}
