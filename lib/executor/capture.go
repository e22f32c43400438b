package executor

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// maxCapture is how much of each output of a command sh returns, in bytes.
const maxCapture = 16 << 20

// heapCapture is how much of it is kept on the heap. What is more has a mapping of
// its own: a mapping takes what was written to it, however large it is, while a
// slice that grows leaves its outgrown copies behind, and the heap is what the
// limit on Lua's memory is measured by.
const heapCapture = 64 << 10

// A capture keeps the first maxCapture bytes of what it is given, until it is taken.
type capture struct {
	text             []byte
	mapped           []byte // what text is in, nil for the heap
	taken, truncated bool
}

func (c *capture) add(p []byte) {
	if c.taken {
		return // of a process that the command left
	}
	if room := maxCapture - len(c.text); len(p) > room {
		p, c.truncated = p[:room], true
	}
	if c.mapped == nil && len(c.text)+len(p) > heapCapture {
		mapped, err := unix.Mmap(-1, 0, maxCapture, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
		if err == nil { // else the heap has to do
			c.mapped = mapped
			c.text = append(mapped[:0], c.text...)
		}
	}
	c.text = append(c.text, p...)
}

// take returns what was kept, and whether that was not all. A mapping gives its
// memory back piece by piece, so that there is never all of it twice.
func (c *capture) take() (text string, truncated bool) {
	if c.mapped == nil {
		text = string(c.text)
	} else {
		var b strings.Builder
		b.Grow(len(c.text))
		for piece := range slices.Chunk(c.text, 1<<20) {
			b.Write(piece)
			_ = unix.Madvise(piece, unix.MADV_DONTNEED)
		}
		_ = unix.Munmap(c.mapped)
		text = b.String()
	}
	c.text, c.mapped, c.taken = nil, nil, true
	return text, c.truncated
}
