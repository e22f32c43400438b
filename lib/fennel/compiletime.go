package fennel

type compileTime struct{}

type included struct{}

func (c *compiler) close() {}

func (c *compiler) checkLimits(b *block, src *source) {}
