package trigger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"quire/lib/file"
	"quire/lib/git"
)

// The file quire/seen in a Git directory begins with a line "<id> <ref>" for every ref
// that existed when the file was made. Each update that was triggered adds a line; the
// last line of a ref counts. A ref that is not at the id of its line was moved by a push
// that was not triggered. A line that Missed adds has a third field, the time in
// milliseconds since 1970: a hook of an earlier push that comes later with this id is late.
//
// Lines are added without a sync: if one is lost, --missed examines the ref and finds its
// run. The first lines are synced, or all older refs would look like missed pushes.
const (
	seenDir  = "quire"
	seenFile = "seen"

	// The file is rewritten when it is larger than seenFree bytes and seenSlack times
	// its current lines.
	seenSlack, seenFree = 4, 1 << 20
)

// seen is the content of the file, which is locked against other triggers.
type seen struct {
	path string
	lock *os.File
	refs map[string]string // the id of each ref when it was last triggered
	size int64             // of the complete lines of the file

	missedAt map[string]time.Time // when Missed triggered a ref, if Missed triggered it last
}

// openSeen waits for the lock of repo's file and reads the file. If there is none yet, it
// creates one from the current refs, but with the old ids of updates, which the caller is
// about to trigger.
func openSeen(ctx context.Context, repo *git.Repo, updates []Update) (*seen, error) {
	s, err := readSeen(ctx, repo, updates)
	if err != nil {
		return nil, fmt.Errorf("cannot read which refs were triggered in '%s': %w", repo.Dir(), err)
	}
	return s, nil
}

func readSeen(ctx context.Context, repo *git.Repo, updates []Update) (*seen, error) {
	s, err := lockSeen(repo)
	if err != nil {
		return nil, err
	}
	err = s.read()
	if errors.Is(err, fs.ErrNotExist) {
		err = s.begin(ctx, repo, updates)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// lockSeen waits for the lock and takes it.
func lockSeen(repo *git.Repo) (*seen, error) {
	lock, err := openInGitDir(repo, "lock", os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	if err := file.Flock(lock); err != nil {
		lock.Close()
		return nil, err
	}
	path := filepath.Join(repo.Dir(), seenDir, seenFile)
	return &seen{path: path, lock: lock, refs: map[string]string{}, missedAt: map[string]time.Time{}}, nil
}

func (s *seen) close() { s.lock.Close() }

// read reads the complete lines. After a crash, the last line may be incomplete.
func (s *seen) read() error {
	text, err := file.Read(s.path)
	if err != nil {
		return err
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	s.size = int64(len(text))
	for line := range strings.Lines(string(text)) {
		id, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		ref, when, missed := strings.Cut(rest, " ")
		s.refs[ref] = id
		delete(s.missedAt, ref)
		if ms, err := strconv.ParseInt(when, 10, 64); missed && err == nil {
			s.missedAt[ref] = time.UnixMilli(ms)
		}
	}
	return nil
}

// begin makes the file.
func (s *seen) begin(ctx context.Context, repo *git.Repo, updates []Update) error {
	refs, err := repo.Refs(ctx)
	if err != nil {
		return err
	}
	for _, r := range refs {
		s.refs[r.Name] = r.OID
	}
	for _, u := range updates {
		s.refs[u.Ref] = u.Old
	}
	return s.rewrite()
}

// rewrite replaces the file with one that has only the current line of each ref.
func (s *seen) rewrite() error {
	var lines bytes.Buffer
	for ref, id := range s.refs {
		if !git.IsZero(id) {
			lines.WriteString(s.line(ref))
		}
	}
	err := file.Replace(s.path, s.path+".new", 0o666, func(f *os.File) error {
		_, err := f.Write(lines.Bytes())
		return err
	})
	if err == nil {
		s.size = int64(lines.Len())
	}
	return err
}

// line returns the current line of a ref.
func (s *seen) line(ref string) string {
	if at, missed := s.missedAt[ref]; missed {
		return fmt.Sprintf("%s %s %d\n", s.refs[ref], ref, at.UnixMilli())
	}
	return fmt.Sprintf("%s %s\n", s.refs[ref], ref)
}

// add records that updates were triggered, by a push, or at a time by Missed.
func (s *seen) add(updates []Update, missed time.Time) error {
	var text bytes.Buffer
	needed := 0
	for _, u := range updates {
		s.refs[u.Ref] = u.New
		delete(s.missedAt, u.Ref)
		if !missed.IsZero() {
			s.missedAt[u.Ref] = missed
		}
		text.WriteString(s.line(u.Ref))
	}
	for ref, id := range s.refs {
		needed += len(ref) + len(id) + 2
	}
	if s.size > int64(seenFree+seenSlack*needed) {
		return s.rewrite()
	}
	f, err := file.OpenFile(s.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	// This overwrites an incomplete line that a crash may have left.
	_, err = f.WriteAt(text.Bytes(), s.size)
	if err == nil {
		s.size += int64(text.Len())
		err = f.Truncate(s.size)
	}
	return errors.Join(err, f.Close())
}

// late returns the updates of a push that Missed has triggered because the hook of the push
// had not begun, and the other updates. A push that began after Missed is not late: it may
// set a ref to the same id again, after another process moved the ref with git itself.
func (s *seen) late(updates []Update) (late, others []Update) {
	for _, u := range updates {
		at, missed := s.missedAt[u.Ref]
		if missed && s.refs[u.Ref] == u.New && !u.deleted() && !pushedSince(at) {
			late = append(late, u)
		} else {
			others = append(others, u)
		}
	}
	return late, others
}

// last returns the updates that no later triggered update of their ref follows: the hook of
// the first of two pushes may run last. current returns the current ids of refs.
func (s *seen) last(updates []Update, current func(refs []string) ([]string, error)) ([]Update, error) {
	var last, doubtful []Update
	var refs []string
	for _, u := range updates {
		if id := s.refs[u.Ref]; id == "" || id == u.Old || id == u.New {
			last = append(last, u)
		} else {
			doubtful, refs = append(doubtful, u), append(refs, u.Ref)
		}
	}
	if len(doubtful) == 0 {
		return last, nil
	}
	ids, err := current(refs)
	if err != nil {
		return nil, err
	}
	for i, u := range doubtful {
		later := s.refs[u.Ref]
		if later != ids[i] && !(ids[i] == "" && git.IsZero(later)) {
			last = append(last, u)
		}
	}
	return last, nil
}

// missed returns an update for each ref that has moved since it was last seen.
func (s *seen) missed(refs []git.Ref) []Update {
	var missed []Update
	there := map[string]bool{}
	for _, r := range refs {
		there[r.Name] = true
		if old := s.refs[r.Name]; old != r.OID {
			if old == "" {
				old = strings.Repeat("0", len(r.OID))
			}
			missed = append(missed, Update{Old: old, New: r.OID, Ref: r.Name})
		}
	}
	for ref, id := range s.refs {
		if !there[ref] && !git.IsZero(id) {
			missed = append(missed, Update{Old: id, New: strings.Repeat("0", len(id)), Ref: ref})
		}
	}
	return missed
}
