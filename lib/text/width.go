package text

import (
	"strings"

	"github.com/rivo/uniseg"
)

// Width returns how many columns of a terminal s takes.
func Width(s string) int { return uniseg.StringWidth(s) }

// CutWidth returns the beginning of s that fits into so many columns of a terminal.
func CutWidth(s string, columns int) string {
	used, state, rest := 0, -1, s
	for rest != "" {
		_, next, width, after := uniseg.FirstGraphemeClusterInString(rest, state)
		if used += width; used > columns {
			return s[:len(s)-len(rest)]
		}
		rest, state = next, after
	}
	return s
}

// PadWidth appends spaces to s until it takes at least so many columns.
func PadWidth(s string, columns int) string {
	return s + strings.Repeat(" ", max(0, columns-Width(s)))
}
