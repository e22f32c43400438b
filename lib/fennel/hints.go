package fennel

import (
	"slices"

	"quire/lib/diag"
)

// similar returns a hint that names a known identifier close to a misspelt one.
func (c *compiler) similar(name string, s *scope) string {
	if c.opts.Hint != nil {
		if hint := c.opts.Hint(name); hint != "" {
			return hint
		}
	}
	best, distance := "", len(name)/3+1
	consider := func(candidate string) {
		if d := editDistance(name, candidate); d < distance || d == distance && best != "" && candidate < best {
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

// editDistance is how many letters have to be changed, added, removed or swapped
// with their neighbour to make a into b. It gives up on long names.
func editDistance(a, b string) int {
	const long = 40
	if len(a) > long || len(b) > long {
		return long
	}
	var before, previous []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, previous = previous, slices.Clone(row)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(previous[j+1]+1, row[j]+1, previous[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}

// sortByPlace orders diagnostics as the source has them.
func sortByPlace(l diag.List) {
	slices.SortStableFunc(l, func(a, b diag.Diagnostic) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
}
