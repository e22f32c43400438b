package vm

import "time"

// The cost of compiling with gopher-lua, in nanoseconds and bytes, on a slow machine.
const (
	parseCost      = 50     // time for each byte that is parsed
	nodeTime       = 300    // for each statement and expression
	nodeMemory     = 300    // for each statement and expression
	functionTime   = 10_000 // for each function
	functionMemory = 8_000  // for each function: empty tables of a fixed size
	searchTime     = 4      // for each variable, level or constant that a search passes
)

// A cost estimates what gopher-lua's compiler will spend on a text. The compiler cannot
// be interrupted, so a text that is too expensive is not compiled. The fields that count
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
func (c *cost) function()       { c.add(functionTime, functionMemory) }
func (c *cost) declare(n int)   { c.locals += n }
func (c *cost) constant(of int) { c.search(1, of) }

// name counts the search for a variable, which gopher-lua does three times. A search passes
// all visible variables and all block levels.
func (c *cost) name(levels int) {
	c.names++
	c.search(3, c.locals+levels)
}

// closure counts the searches for the variables that a function uses from outside itself.
// names is an upper bound on their number.
func (c *cost) closure(names int) { c.search(min(names, maxUpvalues), c.locals+maxUpvalues) }

func (c *cost) search(times, of int) { c.add(time.Duration(times*of*searchTime), 0) }
