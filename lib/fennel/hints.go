package fennel

import "quire/lib/diag"

// similar returns a hint for an unknown name: usually a known name that is similar.
func (c *compiler) similar(name string, s *scope) string {
	if c.opts.Hint != nil {
		if hint := c.opts.Hint(name); hint != "" {
			return hint
		}
	}
	const long = 40 // longer names get no hint
	best, distance := "", len(name)/3+1
	consider := func(candidate string) {
		if max(len(name), len(candidate)) > long {
			return
		}
		if d := diag.Distance(name, candidate); d < distance || d == distance && best != "" && candidate < best {
			best, distance = candidate, d
		}
	}
	for ; s != nil; s = s.parent {
		for candidate := range s.names {
			consider(candidate)
		}
	}
	for candidate := range c.globals {
		consider(candidate)
	}
	if best == "" {
		return "bind it with local or let, or look for a misspelling"
	}
	return "did you mean " + best + "?"
}
