package executor

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// maxCapture is how much of each output of a command sh returns, in bytes.
const maxCapture = 16 << 20

// heapCapture is how many bytes of it stay on the heap. Longer output moves to a memory
// mapping, which uses only the pages that were written to. A growing slice would leave its
// old copies on the heap, and they would count towards the limit on Lua's memory.
const heapCapture = 64 << 10

// A capture stores the first maxCapture bytes of an output until take is called.
type capture struct {
	text             []byte
	mapped           []byte // the mapping that holds text; nil: text is on the heap
	taken, truncated bool
}

func (c *capture) add(p []byte) {
	if c.taken {
		return // a background process of the command printed it
	}
	if room := maxCapture - len(c.text); len(p) > room {
		p, c.truncated = p[:room], true
	}
	if c.mapped == nil && len(c.text)+len(p) > heapCapture {
		mapped, err := unix.Mmap(-1, 0, maxCapture, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
		if err == nil { // otherwise text stays on the heap
			c.mapped = mapped
			c.text = append(mapped[:0], c.text...)
		}
	}
	c.text = append(c.text, p...)
}

// take returns the stored text, and whether more was printed. It frees a mapping piece by
// piece while it copies, so that memory never holds the whole text twice.
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
