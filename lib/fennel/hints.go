package fennel

import (
	"cmp"
	"slices"

	"quire/lib/diag"
)

// similar returns a hint for an unknown name: usually a known name that is similar.
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

// editDistance returns how many letters must be changed, added, removed or swapped
// with their neighbour to turn a into b. It gives up on long names.
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

// sortByPosition sorts diagnostics by line and column.
func sortByPosition(l diag.List) {
	slices.SortStableFunc(l, func(a, b diag.Diagnostic) int {
		return cmp.Or(a.Line-b.Line, a.Column-b.Column)
	})
}
