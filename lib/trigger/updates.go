// Package trigger makes runs out of the ref updates of a push.
package trigger

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"quire/lib/git"
)

// An Update is one ref that a push changed, as githooks(5) describes the input
// of post-receive.
type Update struct {
	Old string // object id; zeros if the ref is new
	New string // object id; zeros if the ref was deleted
	Ref string // full name, such as "refs/heads/main"
}

// deleted reports whether the update removed its ref.
func (u Update) deleted() bool { return git.IsZero(u.New) }

// mayRun reports whether the update can make a run. Git notes make none.
func (u Update) mayRun() bool { return !u.deleted() && !strings.HasPrefix(u.Ref, "refs/notes/") }

// mayMoveTag reports whether Old may be the id of a tag object. Git allows only commits in
// branches.
func (u Update) mayMoveTag() bool {
	return !git.IsZero(u.Old) && !strings.HasPrefix(u.Ref, "refs/heads/")
}

// maxLine is the length of the longest line, in bytes. git allows only much shorter refs.
const maxLine = 64 << 10

// ReadUpdates reads "<old> <new> <ref>" lines to the end of r. It skips lines of another form
// and names them in the error, which it returns together with the valid updates.
func ReadUpdates(r io.Reader) ([]Update, error) {
	var updates []Update
	var errs []error
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		u, err := parseUpdate(lines.Text())
		if err != nil {
			errs = append(errs, fmt.Errorf("standard input line %d: %w", n, err))
			continue
		}
		updates = append(updates, u)
	}
	if err := lines.Err(); err != nil {
		errs = append(errs, fmt.Errorf("cannot read standard input: %w", err))
	}
	return updates, errors.Join(errs...)
}

func parseUpdate(line string) (Update, error) {
	old, rest, _ := strings.Cut(line, " ")
	id, ref, ok := strings.Cut(rest, " ")
	switch {
	case !ok:
		return Update{}, errors.New("want '<old> <new> <ref>'")
	case !git.IsID(old) || !git.IsID(id) || len(old) != len(id):
		return Update{}, errors.New("want two object ids of 40 or 64 hexadecimal digits")
	case !strings.HasPrefix(ref, "refs/") || strings.ContainsFunc(ref, isControl) || strings.Contains(ref, " "):
		return Update{}, fmt.Errorf("want a full ref name, not '%.200s'", ref)
	}
	return Update{Old: old, New: id, Ref: ref}, nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
