package runstore

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"quire/lib/text"
)

// ErrNotFound says that there is no such run.
var ErrNotFound = errors.New("no such run")

// An ambiguousError says that a name for one run matches several. It is also an
// ErrNotFound: a caller that needs one run has none.
type ambiguousError struct {
	part string
	ids  []string // some of them, in order
	more bool     // there are others
}

func (e *ambiguousError) Error() string {
	more := ""
	if e.more {
		more = ", ..."
	}
	return fmt.Sprintf("'%s' is ambiguous: %s%s", e.part, strings.Join(e.ids, ", "), more)
}

func (e *ambiguousError) Is(target error) bool { return target == ErrNotFound }

// candidates is how many ids an ambiguousError names.
const candidates = 8

// Find returns the run that name means: an id, a part of an id that no other run has, or
// REPO@REF for the newest run of a ref, whose name may lack refs/heads/ or refs/tags/. If
// no run or several runs match, the error is ErrNotFound. In the latter case it names them.
func (s *Store) Find(name string) (*Run, error) {
	r, err := s.find(name)
	var ambiguous *ambiguousError
	switch {
	case err == nil:
		return r, nil
	case errors.As(err, &ambiguous):
		return nil, err
	}
	return nil, fmt.Errorf("cannot find run '%s': %w", text.Escape(name), text.Cause(err))
}

func (s *Store) find(name string) (*Run, error) {
	if strings.Contains(name, "@") {
		return s.findRef(name)
	}
	id := strings.ToLower(name)
	if IsID(id) {
		return s.findID(id)
	}
	if !isPart(id) {
		return nil, ErrNotFound
	}
	ids, err := s.idsWith(id)
	if err != nil {
		return nil, err
	}
	switch len(ids) {
	case 0:
		return nil, ErrNotFound
	case 1:
		return s.findID(ids[0])
	}
	slices.Sort(ids)
	more := len(ids) > candidates
	return nil, &ambiguousError{name, ids[:min(len(ids), candidates)], more}
}

// isPart reports whether s can be part of an id.
func isPart(s string) bool {
	for i := range len(s) {
		if s[i] != '-' && !isHex(s[i]) {
			return false
		}
	}
	return s != ""
}

// findID returns the run with the whole id.
func (s *Store) findID(id string) (*Run, error) {
	r, err := s.liveRun(id)
	if !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	rec, err := s.findInJournal(id)
	if err != nil {
		return nil, err
	}
	r, err = s.open(s.runDir(rec.Repo, id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	return r, err
}

// idsWith returns the ids that contain part: all, or one more than an error names.
func (s *Store) idsWith(part string) ([]string, error) {
	var found []string
	add := func(id string) bool {
		if !slices.Contains(found, id) {
			found = append(found, id)
		}
		return len(found) <= candidates
	}
	live, err := s.liveNames()
	if err != nil {
		return nil, err
	}
	for _, id := range live {
		if strings.Contains(id, part) && exists(s.path("live", id, factsFile)) && !add(id) {
			return found, nil
		}
	}
	for l, err := range s.journalBackward() {
		if err != nil {
			return nil, err
		}
		if id := idOf(l.text); bytes.Contains(id, []byte(part)) && !add(string(id)) {
			break
		}
	}
	return found, nil
}

// findRef returns the newest run of a ref. Both names may contain an @, so the whole
// string is compared instead of being split.
func (s *Store) findRef(name string) (*Run, error) {
	for rec, err := range s.List(Filter{}) {
		if err != nil {
			return nil, err
		}
		ref, ok := strings.CutPrefix(name, rec.Repo+"@")
		if ok && (ref == rec.Ref || "refs/heads/"+ref == rec.Ref || "refs/tags/"+ref == rec.Ref) {
			return s.findID(rec.ID)
		}
	}
	return nil, ErrNotFound
}
