package executor

import "strings"

// maxCapture is how much of each output of a command sh returns, in bytes.
const maxCapture = 16 << 20

// A capture keeps the first maxCapture bytes of what it is given, until it is taken.
type capture struct {
	text             strings.Builder
	taken, truncated bool
}

func (c *capture) add(p []byte) {
	if c.taken {
		return // of a process that the command left
	}
	if room := maxCapture - c.text.Len(); len(p) > room {
		p, c.truncated = p[:room], true
	}
	if need := c.text.Len() + len(p); need > c.text.Cap() {
		// What is large gets all the room there will be at once: pages that are
		// never written to cost nothing, and copies that were outgrown do.
		size := maxCapture
		if need <= 1<<20 {
			size = 2 * need
		}
		c.text.Grow(size - c.text.Len())
	}
	c.text.Write(p)
}

// take returns what was kept, and whether that was not all.
func (c *capture) take() (text string, truncated bool) {
	text = c.text.String()
	c.text.Reset()
	c.taken = true
	return text, c.truncated
}
