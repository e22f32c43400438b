package executor

import (
	"regexp"
	"slices"
	"strings"

	"quire/lib/pipeline"
)

// matches reports whether a push is one that w is for: its branch matches one of
// the patterns for branches or its tag one of those for tags, where there are
// any, and one of the changed files one of those for paths, where there are any.
// A push whose changed files are not known matches all paths: better a job too
// many than one too few.
func matches(w pipeline.When, f Facts) bool {
	onRef := len(w.Branch)+len(w.Tag) == 0 ||
		f.Branch != "" && matchAny(w.Branch, f.Branch) ||
		f.Tag != "" && matchAny(w.Tag, f.Tag)
	if !onRef || len(w.Paths) == 0 || f.FilesChanged == nil {
		return onRef
	}
	return slices.ContainsFunc(f.FilesChanged, func(name string) bool { return matchAny(w.Paths, name) })
}

func matchAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return glob(p).MatchString(name) })
}

// glob returns pattern as a regular expression. '?' is one character and '*' any
// number of them, but for '/'; "**" is any number of any, and a slash behind it
// may be missing with it, so that "src/**/*.go" matches "src/a.go".
func glob(pattern string) *regexp.Regexp {
	var b strings.Builder
	// Package regexp takes each byte of a name that is not UTF-8 as U+FFFD, and no
	// such bytes in a pattern.
	for rest := string([]rune(pattern)); rest != ""; {
		switch {
		case strings.HasPrefix(rest, "**/"):
			b.WriteString("(?:.*/)?")
			rest = rest[3:]
		case strings.HasPrefix(rest, "**"):
			b.WriteString(".*")
			rest = rest[2:]
		case rest[0] == '*':
			b.WriteString("[^/]*")
			rest = rest[1:]
		case rest[0] == '?':
			b.WriteString("[^/]")
			rest = rest[1:]
		default:
			n := strings.IndexAny(rest, "*?")
			if n < 0 {
				n = len(rest)
			}
			b.WriteString(regexp.QuoteMeta(rest[:n]))
			rest = rest[n:]
		}
	}
	return regexp.MustCompile(`(?s)\A` + b.String() + `\z`)
}
