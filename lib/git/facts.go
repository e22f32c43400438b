package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"quire/lib/git/direct"
)

// IsZero reports whether oid is all zeros, in either hash's length: post-receive lines have
// it as the old id of a created ref and as the new id of a deleted one.
func IsZero(oid string) bool {
	return oid != "" && strings.Trim(oid, "0") == ""
}

// maxCommit is how much of a commit object is read for its message, in bytes.
const maxCommit = 1 << 20

// Commit reads the commit that spec names, directly or through tags: its id, its tree's id,
// and its message in UTF-8. If spec names no commit, the error is ErrMissing.
func (o *Objects) Commit(spec string) (oid, tree, message string, err error) {
	err = o.Commits([]string{spec}, func(_ int, id, t, m string) { oid, tree, message = id, t, m })
	return oid, tree, message, err
}

// Commits is like Commit for many commits, and asks for all at once. A missing commit is
// skipped and is the error at the end; any other error ends it.
func (o *Objects) Commits(specs []string, each func(i int, oid, tree, message string)) error {
	questions := make([]string, len(specs))
	for i, spec := range specs {
		questions[i] = spec + "^{commit}"
	}
	return o.ReadAll(questions, func(i int, in Info, body io.Reader) error {
		text, err := io.ReadAll(io.LimitReader(body, maxCommit))
		if err != nil {
			return err
		}
		line, _, _ := strings.Cut(string(text), "\n")
		tree, ok := strings.CutPrefix(line, "tree ")
		if !ok || len(tree) != len(in.OID) {
			return fmt.Errorf("malformed commit %s: no tree", in.OID)
		}
		each(i, in.OID, tree, parseMessage(text))
		return nil
	})
}

// parseMessage returns the message of a commit object, which is the text after the first
// empty line, in UTF-8. It decodes Latin-1, which old repositories use. In other encodings,
// bytes that are not UTF-8 become U+FFFD.
func parseMessage(commit []byte) string {
	header, message, ok := bytes.Cut(commit, []byte("\n\n"))
	if !ok {
		return ""
	}
	if utf8.Valid(message) {
		return string(message)
	}
	for line := range bytes.Lines(header) {
		name, ok := bytes.CutPrefix(line, []byte("encoding "))
		switch strings.ToLower(strings.TrimSpace(string(name))) {
		case "iso-8859-1", "iso8859-1", "latin1", "latin-1":
			if ok {
				return fromLatin1(message)
			}
		}
	}
	return strings.ToValidUTF8(string(message), "\uFFFD")
}

// fromLatin1 decodes Latin-1: each byte is a code point.
func fromLatin1(text []byte) string {
	var b strings.Builder
	for _, c := range text {
		b.WriteRune(rune(c))
	}
	return b.String()
}

// ChangedFiles returns the files that a change of a ref from old to new added, changed or
// deleted, sorted. A rename is one deleted and one added file. Names are as in the tree,
// and need not be UTF-8. If no file changed, the list is empty and not nil.
//
// For an update, fast-forward or forced, these are the files that differ between old and
// new. If the ref is new or the old commit is gone, new is compared with its merge base
// with HEAD. If no merge base exists, or it is new itself (a tag on main), all files of new
// are returned: better a job too many than one too few.
func (r *Repo) ChangedFiles(ctx context.Context, old, new string) ([]string, error) {
	if IsID(old) && IsID(new) && !IsZero(old) {
		// Nearly every push, so it is tried without asking for the types of the two.
		files, err := direct.NewObjects(r.objectDirs()...).Changed(old, new)
		if err == nil {
			return sorted(files), nil
		}
		if files, err = r.diffTree(ctx, old, new); err == nil {
			return files, nil
		}
	}
	o, err := r.Objects(ctx)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	infos, errs := o.InfoAll([]string{new + "^{tree}", old + "^{tree}", new + "^{commit}"})
	if errs[0] != nil {
		return nil, fmt.Errorf("cannot list changed files: %w", errs[0])
	}
	newTree, oldTree := infos[0].OID, infos[1].OID
	if errs[1] != nil && !errors.Is(errs[1], ErrMissing) {
		return nil, fmt.Errorf("cannot list changed files: %w", errs[1])
	}
	if errs[1] != nil && errs[2] == nil {
		if oldTree, err = r.forkTree(ctx, o, infos[2].OID); err != nil {
			return nil, fmt.Errorf("cannot list changed files: %w", err)
		}
	}
	if oldTree != "" {
		return r.diffTree(ctx, oldTree, newTree)
	}
	return r.listNames(ctx, "ls-tree", "-r", "-z", "--full-tree", "--name-only", newTree)
}

// diffTree lists the files that differ between two tree-ishes, which are full ids.
func (r *Repo) diffTree(ctx context.Context, old, new string) ([]string, error) {
	return r.listNames(ctx, "diff-tree", "-r", "-z", "--no-renames", "--name-only", old, new)
}

// listNames runs a git that prints names, and sorts them.
func (r *Repo) listNames(ctx context.Context, args ...string) ([]string, error) {
	out, err := r.output(ctx, args...)
	if err != nil {
		return nil, fmt.Errorf("cannot list changed files: %w", err)
	}
	return sorted(splitNUL(out)), nil
}

// sorted sorts names. Its result is never nil, which means "not known".
func sorted(names []string) []string {
	slices.Sort(names)
	return append([]string{}, names...)
}

// forkTree returns the tree of the commit at which commit left HEAD's branch. It returns ""
// if there is none, or if it is commit itself.
func (r *Repo) forkTree(ctx context.Context, o *Objects, commit string) (string, error) {
	head, err := o.Info("HEAD^{commit}")
	if errors.Is(err, ErrMissing) || head.OID == commit {
		return "", nil
	} else if err != nil {
		return "", err
	}
	out, err := r.output(ctx, "merge-base", head.OID, commit)
	if exitedWith(err, 1) {
		return "", nil // no common history
	} else if err != nil {
		return "", err
	}
	base := strings.TrimSpace(string(out))
	if base == commit {
		return "", nil
	}
	tree, err := o.Info(base + "^{tree}")
	return tree.OID, err
}

// A Ref is one ref of a repository.
type Ref struct {
	Name string // full, such as "refs/heads/main"
	OID  string // of the object that it points to: a commit, a tag object, a tree or a blob
}

// Refs lists the refs whose names begin with one of the prefixes, such as "refs/heads/",
// sorted by name. Without prefixes it lists all refs.
func (r *Repo) Refs(ctx context.Context, prefixes ...string) ([]Ref, error) {
	args := append([]string{"for-each-ref", "--format=%(objectname) %(refname)", "--"}, prefixes...)
	out, err := r.output(ctx, args...)
	if err != nil {
		return nil, fmt.Errorf("cannot list refs: %w", err)
	}
	var refs []Ref
	for line := range strings.Lines(string(out)) {
		oid, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		refs = append(refs, Ref{Name: name, OID: oid})
	}
	return refs, nil
}

// Tag makes the lightweight tag name at commit. If the tag exists at the same commit, Tag
// does nothing; if it exists elsewhere, Tag returns an error and does not move it.
func (r *Repo) Tag(ctx context.Context, name, commit string) error {
	ref := "refs/tags/" + name
	if _, err := r.output(ctx, "check-ref-format", ref); err != nil {
		return fmt.Errorf("cannot make tag %s: not a valid name", quoted(name))
	}
	o, err := r.Objects(ctx)
	if err != nil {
		return err
	}
	defer o.Close()
	infos, errs := o.InfoAll([]string{commit + "^{commit}", ref + "^{commit}"})
	if errs[0] != nil {
		return fmt.Errorf("cannot make tag %s: %w", quoted(name), errs[0])
	}
	if errs[1] == nil && infos[0].OID == infos[1].OID {
		return nil
	}
	// With zeros as the old value, git refuses if the ref exists by now.
	zero := strings.Repeat("0", len(infos[0].OID))
	if _, err := r.output(ctx, "update-ref", ref, infos[0].OID, zero); err != nil {
		return fmt.Errorf("cannot make tag %s: %w", quoted(name), err)
	}
	return nil
}

// splitNUL splits a list whose entries each end with a NUL.
func splitNUL(out []byte) []string {
	if len(out) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}
