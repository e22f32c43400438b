package runlog

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"quire/lib/text"
)

// lastWords is how much of the output that could not be written a RunLog keeps, in bytes:
// the end of a log says why its run failed. The disk has room for that reserved.
const lastWords = 8 << 10

// A reserve is a file without a name that occupies room on the disk until it is released.
type reserve struct{ file *os.File }

// newReserve reserves room on the file system of dir. Without a file system that can do
// that, or without room, the reserve is empty: only the last words of a log need it.
func newReserve(dir string) reserve {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return reserve{}
	}
	_ = unix.Fallocate(fd, 0, 0, 2*lastWords) // twice, for blocks and what describes them
	return reserve{os.NewFile(uintptr(fd), dir)}
}

// release gives the room back.
func (r *reserve) release() {
	r.file.Close()
	r.file = nil
}

// keep keeps the end of output that cannot be written any more.
func (l *RunLog) keep(p []byte) {
	l.tail = append(l.tail, p...)
	l.tail = l.tail[max(0, len(l.tail)-lastWords):]
}

// writeTail writes the output that was kept, in the room that is reserved for it.
func (l *RunLog) writeTail() error {
	if l.err == nil {
		return nil
	}
	l.reserve.release()
	// A write that failed may have cut a line.
	said := fmt.Sprintf("\nquire: cannot write this log: %v; output is missing here\n", text.Cause(l.err))
	_, err := l.file.Write(append([]byte(said), l.tail...))
	return err
}
