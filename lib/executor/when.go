package executor

import (
	"slices"

	"quire/lib/glob"
	"quire/lib/pipeline"
	"quire/lib/push"
)

// matches reports whether the push f meets the conditions of w. If w has patterns for
// triggers, the trigger must match one of them. If w has patterns for branches or tags, the
// branch or the tag must match one of them. If w has patterns for paths, a changed file must
// match one of them: a push that changed no file matches none. If the changed files are not
// known, all paths match: an unneeded job is better than a missing one.
func matches(w pipeline.When, f push.Facts) bool {
	onRef := len(w.Branch)+len(w.Tag) == 0 ||
		f.Branch() != "" && matchAny(w.Branch, f.Branch()) ||
		f.Tag() != "" && matchAny(w.Tag, f.Tag())
	onRef = onRef && (len(w.Trigger) == 0 || matchAny(w.Trigger, f.Trigger))
	if !onRef || len(w.Paths) == 0 || f.FilesChanged == nil {
		return onRef
	}
	return slices.ContainsFunc(f.FilesChanged, func(name string) bool { return matchAny(w.Paths, name) })
}

// afterGate reports whether f are the facts of a gate run, and the job is for the run that
// follows when the ref has moved: it matches the trigger "push" and not "gate". quire/mirror
// pushes what the repository has, and is always such a job.
func afterGate(job *pipeline.Job, f push.Facts) bool {
	if f.Trigger != push.ByGate {
		return false
	}
	after := f
	after.Trigger = push.ByPush
	return (job.Mirror != nil || !matches(job.Options.When, f)) && matches(job.Options.When, after)
}

func matchAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return glob.Match(p, name) })
}
