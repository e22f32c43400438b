package executor

import (
	"time"

	"quire/lib/push"
)

// pushOutput returns f as the output of the source quire/push.
func pushOutput(f push.Facts) object {
	var o object
	add := func(key string, v value) { o = append(o, entry{key, v}) }
	for _, field := range []struct{ key, value string }{
		{"sha", f.SHA}, {"ref", f.Ref}, {"branch", f.Branch()}, {"tag", f.Tag()},
		{"previous-sha", f.Previous()}, {"commit-message", f.CommitMessage},
		{"pusher", f.Pusher}, {"git-dir", f.GitDir}, {"trigger", f.Trigger},
	} {
		if field.value != "" {
			add(field.key, field.value)
		}
	}
	if !f.PushedAt.IsZero() {
		add("pushed-at", f.PushedAt.UTC().Format(time.RFC3339))
	}
	if f.FilesChanged != nil {
		add("files-changed", toValues(f.FilesChanged))
	}
	return o
}
