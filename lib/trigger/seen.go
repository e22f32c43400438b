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

	"golang.org/x/sys/unix"

	"quire/lib/file"
	"quire/lib/git"
)

// The file quire/seen in a Git directory has a line "<id> <ref>" for each update
// that was triggered, the last of a ref being the one that counts, behind a line
// for every ref there was when the file was made. A ref that is not as the file
// says was moved by a push that nobody triggered.
//
// Lines are added without a sync: one that is lost makes --missed look at a ref
// that it need not, and find the run of it. The first lines must not be lost, or
// all that was there before quire would look like missed pushes.
const (
	seenDir  = "quire"
	seenFile = "seen"

	// seenSlack is how large the file may get, as a multiple of what it has to
	// say and beyond the first bytes, before it is written anew.
	seenSlack, seenFree = 4, 1 << 20
)

// seen is what is known of a repository's refs, locked against other triggers.
type seen struct {
	path string
	lock *os.File
	refs map[string]string // the id each was last triggered at
	size int64             // of the whole lines of the file
}

// openSeen locks and reads what repo's triggers have seen, and waits for others
// that do. Where there is nothing yet, it takes the refs as they are now, with the
// old ids of updates, which are what is being triggered.
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

// lockSeen waits for the lock.
func lockSeen(repo *git.Repo) (*seen, error) {
	dir := filepath.Join(repo.Dir(), seenDir)
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	lock, err := file.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	for err = unix.EINTR; errors.Is(err, unix.EINTR); {
		err = unix.Flock(int(lock.Fd()), unix.LOCK_EX)
	}
	if err != nil {
		lock.Close()
		return nil, err
	}
	return &seen{path: filepath.Join(dir, seenFile), lock: lock, refs: map[string]string{}}, nil
}

func (s *seen) close() { s.lock.Close() }

// read takes the file's whole lines; what follows them was cut short by a crash.
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

// rewrite replaces the file by one without the lines that do not count any more.
func (s *seen) rewrite() error {
	var text bytes.Buffer
	for ref, id := range s.refs {
		if !git.IsZero(id) {
			fmt.Fprintf(&text, "%s %s\n", id, ref)
		}
	}
	// The lock is held: nobody else uses the name.
	temporary := s.path + ".new"
	f, err := file.OpenFile(temporary, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(text.Bytes())
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(temporary, s.path)
	}
	if err != nil {
		os.Remove(temporary)
		return err
	}
	s.size = int64(text.Len())
	return file.Sync(filepath.Dir(s.path))
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
	// Over what a crash may have left of a line.
	_, err = f.WriteAt(text.Bytes(), s.size)
	if err == nil {
		s.size += int64(text.Len())
		err = f.Truncate(s.size)
	}
	return errors.Join(err, f.Close())
}

// fresh returns the updates that nobody has triggered yet.
func (s *seen) fresh(updates []Update) []Update {
	var fresh []Update
	for _, u := range updates {
		if u.Deleted() || s.refs[u.Ref] != u.New {
			fresh = append(fresh, u)
		}
	}
	return fresh
}

// missed returns an update for each ref that is not as it was last seen.
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
