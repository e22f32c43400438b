package fennel

func (c *compiler) checkLimits(b *block, src *source) {}
