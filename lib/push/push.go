// Package push has the facts of a push: the repository, the ref and its old and new commit.
package push

import (
	"cmp"
	"strings"
	"time"
)

// Facts describe the push of a run. Paths are absolute. An unknown value is empty. `quire-ci
// run --facts` reads the JSON form.
type Facts struct {
	ID            string    `json:"run,omitempty"`          // the id of the run
	Repo          string    `json:"repo,omitempty"`         // the name of the repository
	GitDir        string    `json:"git-dir,omitempty"`      // its Git directory
	Ref           string    `json:"ref,omitempty"`          // full, such as refs/heads/main
	SHA           string    `json:"sha,omitempty"`          // the commit that was pushed
	PreviousSHA   string    `json:"previous-sha,omitempty"` // the ref before the push; zeros if it is new
	CommitMessage string    `json:"commit-message,omitempty"`
	Pusher        string    `json:"pusher,omitempty"`
	PushedAt      time.Time `json:"pushed-at,omitzero"`
	Trigger       string    `json:"trigger,omitempty"` // ByPush, ByGate, ByHand, or another word that was given by hand

	Vars         map[string]string `json:"vars,omitempty"`         // variables of all jobs, see ParseVar
	FilesChanged []string          `json:"files-changed,omitzero"` // paths in the tree; nil: not known, empty: no file
}

// ShortRef returns the name of a branch or tag without refs/heads/ or refs/tags/, and any
// other ref unchanged.
func ShortRef(ref string) string {
	for _, prefix := range []string{"refs/heads/", "refs/tags/"} {
		if short, ok := strings.CutPrefix(ref, prefix); ok {
			return short
		}
	}
	return ref
}

// Branch returns the name of the branch if Ref is one, otherwise "".
func (f Facts) Branch() string { return f.below("refs/heads/") }

// Tag returns the name of the tag if Ref is one, otherwise "".
func (f Facts) Tag() string { return f.below("refs/tags/") }

func (f Facts) below(prefix string) string {
	if name, ok := strings.CutPrefix(f.Ref, prefix); ok {
		return name
	}
	return ""
}

// Previous returns PreviousSHA, "" if the ref is new.
func (f Facts) Previous() string {
	if strings.Trim(f.PreviousSHA, "0") == "" {
		return ""
	}
	return f.PreviousSHA
}

// At returns f as if another ref or another commit had been pushed. "" changes nothing.
func (f Facts) At(ref, sha string) Facts {
	f.Ref, f.SHA = cmp.Or(ref, f.Ref), cmp.Or(sha, f.SHA)
	return f
}

// WantsSkip reports whether a commit message asks for no run, as most CI systems
// understand it.
func WantsSkip(message string) bool {
	return strings.Contains(message, "[skip ci]") || strings.Contains(message, "[ci skip]")
}

// maxSubject is the length of the longest subject, in bytes.
const maxSubject = 1000

// Subject returns the subject of a commit message as git(1) shows it: its first
// paragraph in one line, cut at 1,000 bytes.
func Subject(message string) string {
	var words []string
	for line := range strings.Lines(strings.TrimLeft(message, " \t\r\n")) {
		line = strings.TrimSpace(line)
		if line == "" {
			break
		}
		words = append(words, line)
	}
	subject := strings.Join(words, " ")
	if len(subject) > maxSubject {
		subject = strings.ToValidUTF8(subject[:maxSubject], "") // no half of a character
	}
	return subject
}
