package config

import (
	"io/fs"
	"strings"
)

// specificity orders patterns: a name is more specific than any pattern, a
// pattern the more so the more characters it names, and of two that name as many
// the one that crosses no slashes.
func specificity(pattern string) int {
	wild := strings.Count(pattern, "*") + strings.Count(pattern, "?")
	if wild == 0 {
		return 2 * MaxSize
	}
	n := 2 * (len(pattern) - wild)
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

// isRefPattern says whether a pattern, of package glob, can match a ref at all.
func isRefPattern(pattern string) bool {
	return isRef(strings.NewReplacer("*", "x", "?", "x").Replace(pattern))
}

// refPattern returns what is wrong with a pattern of refs, "" if a ref can match it.
func refPattern(s string) string {
	if !isRefPattern(s) {
		return "no ref can match: full names are wanted, such as 'refs/heads/main' or 'refs/tags/v*'"
	}
	return ""
}
