package trigger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"quire/lib/file"
	"quire/lib/git"
)

// The file quire/seen in a Git directory begins with a line "<id> <ref>" for every ref
// that existed when the file was made. Each update that was triggered adds a line; the
// last line of a ref counts. A ref that is not at the id of its line was moved by a push
// that was not triggered.
//
// Lines are added without a sync: if one is lost, --missed looks at a ref for nothing and
// finds its run. The first lines are synced, or all older refs would look like missed
// pushes.
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
	refs map[string]string // the id each was last triggered at
	size int64             // of the whole lines of the file
}

// openSeen waits for the lock of repo's file and reads it. If there is no file yet, it
// makes one from the refs as they are now, except that the refs of updates, which are
// about to be triggered, get their old ids.
func openSeen(ctx context.Context, repo *git.Repo, updates []Update) (*seen, error) {
	s, err := readSeen(ctx, repo, updates)
	if err != nil {
		return nil, fmt.Errorf("cannot tell what was triggered in '%s': %w", repo.Dir(), err)
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
	dir := filepath.Join(repo.Dir(), seenDir)
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	lock, err := file.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := file.Flock(lock); err != nil {
		lock.Close()
		return nil, err
	}
	return &seen{path: filepath.Join(dir, seenFile), lock: lock, refs: map[string]string{}}, nil
}

func (s *seen) close() { s.lock.Close() }

// read reads the complete lines. A crash may have left part of a line behind them.
func (s *seen) read() error {
	text, err := file.Read(s.path)
	if err != nil {
		return err
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	s.size = int64(len(text))
	for line := range strings.Lines(string(text)) {
		id, ref, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		s.refs[ref] = id
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
			fmt.Fprintf(&lines, "%s %s\n", id, ref)
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

// add records that updates were triggered.
func (s *seen) add(updates []Update) error {
	var text bytes.Buffer
	needed := 0
	for _, u := range updates {
		s.refs[u.Ref] = u.New
		fmt.Fprintf(&text, "%s %s\n", u.New, u.Ref)
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
	// This overwrites part of a line that a crash may have left.
	_, err = f.WriteAt(text.Bytes(), s.size)
	if err == nil {
		s.size += int64(text.Len())
		err = f.Truncate(s.size)
	}
	return errors.Join(err, f.Close())
}

// fresh returns the updates that were not triggered yet.
func (s *seen) fresh(updates []Update) []Update {
	var fresh []Update
	for _, u := range updates {
		if u.Deleted() || s.refs[u.Ref] != u.New {
			fresh = append(fresh, u)
		}
	}
	return fresh
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
