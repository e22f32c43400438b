package trigger

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"quire/lib/process"
)

// ErrNoPusher is the cause of a context of WithPusher.
var ErrNoPusher = errors.New("the connection of the push ended")

// lookEvery is the time between two looks for the pusher.
const lookEvery = time.Second

// WithPusher returns a context that also ends when the pusher's connection has ended. f is
// the pipe from this hook to git-receive-pack(1).
//
// While a hook runs, git-receive-pack sends something to the pusher every 5 seconds, see
// receive.keepAlive in git-config(1). If that fails, the thread that sends ends, but the
// process waits for the hook, with the pipe open (seen with 2.39). So the number of its
// threads is the only sign of that, and must be polled. If git-receive-pack itself has ended,
// the pipe breaks.
func WithPusher(ctx context.Context, f *os.File) context.Context {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		threads := process.AncestorThreads(isReceivePack)
		first := entries(threads)
		fds := []unix.PollFd{{Fd: int32(f.Fd())}} // POLLERR and POLLHUP are always reported
		for ctx.Err() == nil {
			_, err := unix.Poll(fds, int(lookEvery.Milliseconds()))
			if err == nil && fds[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0 || entries(threads) < first {
				cancel(ErrNoPusher)
			}
		}
	}()
	return ctx
}

// entries returns how many entries a directory has, 0 if it cannot be read.
func entries(dir string) int {
	names, _ := os.ReadDir(dir)
	return len(names)
}
