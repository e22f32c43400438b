package config

import (
	"io/fs"
	"strings"
)

// match says whether a name matches a pattern, in which '*' is any characters but
// slashes, '**' any at all, and each other one itself. Its time is bounded by the
// product of the lengths: a name may come from whoever pushed.
func match(pattern, name string) bool {
	at := make([]bool, len(name)+1) // at[i]: the pattern so far matches name[:i]
	at[0] = true
	for pattern != "" {
		c := pattern[0]
		pattern = pattern[1:]
		if c != '*' {
			for i := len(name); i > 0; i-- {
				at[i] = at[i-1] && name[i-1] == c
			}
			at[0] = false
			continue
		}
		var slashes bool
		pattern, slashes = strings.CutPrefix(pattern, "*")
		for i := range len(name) {
			at[i+1] = at[i+1] || at[i] && (slashes || name[i] != '/')
		}
	}
	return at[len(name)]
}

// specificity orders patterns: a name is more specific than any pattern, a
// pattern the more so the more characters it names, and of two that name as many
// the one that crosses no slashes.
func specificity(pattern string) int {
	stars := strings.Count(pattern, "*")
	if stars == 0 {
		return 2 * MaxSize
	}
	n := 2 * (len(pattern) - stars)
	if !strings.Contains(pattern, "**") {
		n++
	}
	return n
}

// isRepo says whether a repository could have such a name, see quire-run(5).
func isRepo(pattern string) bool { return pattern != "." && fs.ValidPath(pattern) }

// isRef says whether git takes name for the full name of a ref, by the rules of
// git-check-ref-format(1).
func isRef(name string) bool {
	if !strings.HasPrefix(name, "refs/") || strings.HasSuffix(name, ".") ||
		strings.Contains(name, "..") || strings.Contains(name, "@{") ||
		strings.ContainsAny(name, " ~^:?*[\\\x7f") || strings.ContainsFunc(name, func(c rune) bool { return c < ' ' }) {
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part[0] == '.' || strings.HasSuffix(part, ".lock") {
			return false
		}
	}
	return true
}

// isRefPattern says whether a pattern can match a ref at all.
func isRefPattern(pattern string) bool { return isRef(strings.ReplaceAll(pattern, "*", "x")) }
