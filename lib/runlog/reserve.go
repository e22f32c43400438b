package runlog

import (
	"fmt"

	"quire/lib/text"
)

// maxTail is how much of the output that could not be written a RunLog keeps, in bytes: the
// end of a log says why its run failed. Twice as much room is reserved on the disk, for the
// blocks and for what the file system needs to describe them.
const maxTail = 8 << 10

// keep keeps the end of output that cannot be written any more.
func (l *RunLog) keep(p []byte) {
	l.tail = append(l.tail, p...)
	l.tail = l.tail[max(0, len(l.tail)-maxTail):]
}

// writeTail writes the output that was kept, in the room that is reserved for it.
func (l *RunLog) writeTail() error {
	if l.err == nil {
		return nil
	}
	if l.reserve != nil {
		l.reserve.Close()
		l.reserve = nil
	}
	// A write that failed may have cut a line.
	said := fmt.Sprintf("\nquire: cannot write this log: %v; output is missing here\n", text.Cause(l.err))
	_, err := l.file.Write(append([]byte(said), l.tail...))
	return err
}
