package executor

import (
	"slices"

	"quire/lib/glob"
	"quire/lib/pipeline"
	"quire/lib/push"
)

// matches reports whether a push is one that w is for: its branch matches one of
// the patterns for branches or its tag one of those for tags, where there are
// any, and one of the changed files one of those for paths, where there are any.
// A push whose changed files are not known matches all paths: better a job too
// many than one too few.
func matches(w pipeline.When, f push.Facts) bool {
	onRef := len(w.Branch)+len(w.Tag) == 0 ||
		f.Branch() != "" && matchAny(w.Branch, f.Branch()) ||
		f.Tag() != "" && matchAny(w.Tag, f.Tag())
	if !onRef || len(w.Paths) == 0 || f.FilesChanged == nil {
		return onRef
	}
	return slices.ContainsFunc(f.FilesChanged, func(name string) bool { return matchAny(w.Paths, name) })
}

func matchAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return glob.Match(p, name) })
}
