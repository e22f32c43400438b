package executor

import (
	"cmp"
	"strings"
	"time"
)

// Facts are what is known of the push that a run is of. Paths are absolute; what
// does not apply is empty.
type Facts struct {
	Run           string    `json:"run,omitempty"`     // the id of the run
	Repo          string    `json:"repo,omitempty"`    // the name of the repository
	GitDir        string    `json:"git-dir,omitempty"` // its Git directory
	Ref           string    `json:"ref,omitempty"`     // full, such as refs/heads/main
	Branch        string    `json:"branch,omitempty"`  // where Ref is one; made up from Ref
	Tag           string    `json:"tag,omitempty"`     // likewise
	SHA           string    `json:"sha,omitempty"`
	PreviousSHA   string    `json:"previous-sha,omitempty"` // "" or zeros where the ref is new
	CommitMessage string    `json:"commit-message,omitempty"`
	Pusher        string    `json:"pusher,omitempty"`
	PushedAt      time.Time `json:"pushed-at,omitzero"`
	FilesChanged  []string  `json:"files-changed,omitempty"`
}

// At returns f as if another ref had been pushed, or another commit; "" leaves it.
func (f Facts) At(ref, sha string) Facts {
	if ref != "" {
		f.Ref, f.Branch, f.Tag = ref, "", ""
	}
	f.SHA = cmp.Or(sha, f.SHA)
	return f
}

// named returns f with Branch and Tag as Ref has them, where they are not given.
func (f Facts) named() Facts {
	if name, ok := strings.CutPrefix(f.Ref, "refs/heads/"); ok && f.Branch == "" {
		f.Branch = name
	}
	if name, ok := strings.CutPrefix(f.Ref, "refs/tags/"); ok && f.Tag == "" {
		f.Tag = name
	}
	if strings.Trim(f.PreviousSHA, "0") == "" {
		f.PreviousSHA = ""
	}
	return f
}

// push returns the facts as the output of the source quire/push.
func (f Facts) push() object {
	var o object
	add := func(key string, v value) { o = append(o, entry{key, v}) }
	for _, field := range []struct{ key, value string }{
		{"sha", f.SHA}, {"ref", f.Ref}, {"branch", f.Branch}, {"tag", f.Tag},
		{"previous-sha", f.PreviousSHA}, {"commit-message", f.CommitMessage},
		{"pusher", f.Pusher}, {"git-dir", f.GitDir},
	} {
		if field.value != "" {
			add(field.key, field.value)
		}
	}
	if !f.PushedAt.IsZero() {
		add("pushed-at", f.PushedAt.UTC().Format(time.RFC3339))
	}
	files := make([]value, len(f.FilesChanged))
	for i, name := range f.FilesChanged {
		files[i] = name
	}
	add("files-changed", files)
	return o
}
