package vm

import "time"

// What gopher-lua takes for a text, in nanoseconds and bytes, on a slow machine.
const (
	parseCost    = 50     // for each byte that is parsed
	nodeTime     = 300    // for each statement and expression
	nodeMemory   = 300    // the same
	functionTime = 10_000 // for each function
	functionSize = 8_000  // the same: empty tables of a fixed size
	searchTime   = 4      // for each variable, level or constant that a search goes over
)

// A cost is what the compiler of gopher-lua will take for a text. It cannot be
// interrupted, so a text that is too expensive is not compiled. The fields that count
// variables are upper bounds.
type cost struct {
	call   *call
	time   time.Duration
	memory uint64
	locals int // variables that are visible
	names  int // uses of variables so far
}

// add panics with a *LimitError if the cost is too high, or if the call has failed.
func (c *cost) add(t time.Duration, memory uint64) {
	c.time += t
	c.memory += memory
	limits := c.call.vm.limits
	switch {
	case c.time > limits.Time:
		panic(c.call.exceed(Time))
	case c.memory > limits.Memory:
		panic(c.call.exceed(Memory))
	}
	if err := c.call.tick(nodeTime); err != nil {
		panic(err)
	}
}

func (c *cost) node()           { c.add(nodeTime, nodeMemory) }
func (c *cost) function()       { c.add(functionTime, functionSize) }
func (c *cost) declare(n int)   { c.locals += n }
func (c *cost) constant(of int) { c.search(1, of) }

// name counts the search for a variable, which goes over all that are visible, in each
// block. It is done three times.
func (c *cost) name(levels int) {
	c.names++
	c.search(3, c.locals+levels)
}

// closure counts the search for the variables of a function that are outside of it, of
// which it uses at most so many.
func (c *cost) closure(names int) { c.search(min(names, maxUpvalues), c.locals+maxUpvalues) }

func (c *cost) search(times, of int) { c.add(time.Duration(times*of*searchTime), 0) }
