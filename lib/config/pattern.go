package config

import (
	"io/fs"
	"strings"
)

// specificity orders patterns. A name without wildcards is the most specific. Otherwise the
// pattern with more literal characters is, and of two with as many, the one without "**".
func specificity(pattern string) int {
	wild := strings.Count(pattern, "*") + strings.Count(pattern, "?")
	if wild == 0 {
		return 2 * maxSize
	}
	n := 2 * (len(pattern) - wild)
	if !strings.Contains(pattern, "**") {
		n++
	}
	return n
}

// isRepo reports whether a repository can have such a name, see quire-run(5).
func isRepo(pattern string) bool { return pattern != "." && fs.ValidPath(pattern) }

// isRef reports whether name is a valid full name of a ref, by the rules of
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

// refPattern returns the problem of a pattern of package glob for refs, "" if a ref can match
// it.
func refPattern(s string) string {
	if !isRef(strings.NewReplacer("*", "x", "?", "x").Replace(s)) {
		return "no ref can match: full names are wanted, such as 'refs/heads/main' or 'refs/tags/v*'"
	}
	return ""
}
