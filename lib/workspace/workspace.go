// Package workspace writes the tree of a commit into a directory: exactly the files that
// `git checkout` writes in that repository, and all or nothing.
//
// Git writes the files, with a separate index. This package refuses dangerous trees, makes
// the directory appear at once, and decides which files of an earlier workspace can stay.
package workspace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"quire/lib/file"
	"quire/lib/git"
	"quire/lib/process"
)

// Options of Materialize. The zero value makes a fresh workspace.
type Options struct {
	// Reuse turns an existing workspace into exactly the commit's tree and removes
	// everything else. If the index of an earlier call is next to the directory, files
	// that call wrote and that have not changed since are neither read nor written.
	// Otherwise the whole workspace is written again.
	Reuse bool
	// KeepIgnored makes Reuse keep the files that Git ignores.
	KeepIgnored bool
	// KeepIndex leaves the index next to the directory for a call with Reuse. Reuse
	// implies it.
	KeepIndex bool
	// LFS replaces pointers of Git LFS by files, with the filter that is configured for
	// them. If the filter is missing or fails, Materialize fails.
	LFS bool
	// WithGit gives the workspace a .git that borrows the repository's objects.
	WithGit bool
	// Submodules writes the trees of submodules too, from repositories on this
	// machine, see git.Repo.SubmoduleRepo. If one is missing, Materialize fails.
	// They have no .git.
	Submodules bool
	// Left, if set, is called with a directory that could not be removed, and the reason.
	// It may move the directory away. Materialize then continues; if Left is nil,
	// Materialize fails.
	Left func(path string, err error)

	nested int // how many submodules contain the tree
}

// ErrUnknownCommit is wrapped in an error of Materialize.
var ErrUnknownCommit = errors.New("no such commit")

var errNotEmpty = errors.New("directory not empty")

// Materialize writes the tree of commit, anything that Git resolves to a commit, into
// the directory dir, which must be missing or empty unless o.Reuse is set. After a failure
// dir does not exist or is empty. Not even a kill leaves half a workspace there: the tree is
// written next to dir and renamed when it is complete, and the next call removes the
// leftovers of a killed one.
//
// It refuses a tree that Git never makes: with names such as ".." or any spelling of
// ".git", duplicate names in a directory, or unknown modes.
//
// It sets the umask of this process to process.Umask.
func Materialize(ctx context.Context, repo *git.Repo, commit, dir string, o Options) error {
	process.SetUmask()
	s, err := newStage(dir, o.Left)
	if err != nil {
		return fmt.Errorf("cannot materialize '%s' into '%s': %w", commit, dir, err)
	}
	objects, err := repo.Objects(ctx)
	if err != nil {
		return err
	}
	defer objects.Close()
	oid, tree, _, err := objects.Commit(commit)
	if errors.Is(err, git.ErrMissing) {
		return fmt.Errorf("cannot find commit '%s' in '%s': %w", commit, repo.Dir(), ErrUnknownCommit)
	} else if err != nil {
		return fmt.Errorf("cannot find commit '%s': %w", commit, err)
	}
	m := &materializer{repo: repo, objects: objects, commit: oid, stage: s, options: o, state: state{Tree: tree}}
	if err := m.make(ctx); err != nil {
		return fmt.Errorf("cannot materialize '%s' into '%s': %w", commit, dir, err)
	}
	return nil
}

// materializer is the state of one Materialize.
type materializer struct {
	repo    *git.Repo
	objects *git.Objects
	commit  string
	stage   *stage
	options Options
	state   state // of the finished workspace
	changed bool  // the attributes may have changed
}

// make checks the tree, writes it and publishes it.
func (m *materializer) make(ctx context.Context) (err error) {
	s, o := m.stage, m.options
	var old state
	reuse := false
	if o.Reuse && s.info != nil {
		old, reuse = loadState(s.saved)
		reuse = reuse && statOf(s.info).Ino == old.Directory
	}
	if err := s.open(o.Reuse, reuse); err != nil {
		return err
	}
	defer func() {
		if left := s.discard(); err == nil {
			err = left
		}
	}()
	if m.state.Rules, err = m.rules(); err != nil {
		return err
	}
	reuse = reuse && !s.inside && old.Rules == m.state.Rules && old.Rules != "" && s.now >= old.complete
	if !reuse {
		old = state{}
	}
	// The tree is checked while the workspace is swept. Git starts after both.
	checked := make(chan error, 1)
	go func() { checked <- m.check(old) }()
	var w *sweep
	if reuse {
		w, err = m.sweep(ctx, old)
		reuse = err == nil
	}
	if err := <-checked; err != nil {
		return err
	}
	if reuse && !m.changed {
		err = m.update(ctx, w.changed || old.Extra || o.KeepIgnored)
	}
	if !reuse || m.changed || err != nil && ctx.Err() == nil {
		err = m.fresh(ctx)
	}
	if err == nil {
		err = m.addSubmodules(ctx)
	}
	if err == nil && o.WithGit {
		err = m.repo.Borrow(ctx, s.tree, m.commit, s.index())
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	if s.inside || o.nested > 0 || !o.Reuse && !o.KeepIndex {
		return s.publish()
	}
	m.state.Extra = o.KeepIgnored || o.Submodules && m.state.Submodules
	if err := m.state.save(s.tree, s.path(indexFile)); err != nil {
		return err
	}
	if err := s.publish(); err != nil {
		return err
	}
	if err := s.keepIndex(); err != nil {
		return errors.Join(err, file.RemoveTree(s.target))
	}
	return nil
}

// check checks the tree and notes its properties. If the tree of the state old is gone from
// the repository, everything may have changed.
func (m *materializer) check(old state) error {
	c, err := checkTree(m.objects, old.Tree, m.state.Tree, maxEntries)
	if err != nil && old.Tree != "" {
		c, err = checkTree(m.objects, "", m.state.Tree, maxEntries)
		m.changed = true
	}
	if err != nil {
		return err
	}
	m.changed = m.changed || c.changed
	m.state.Submodules = c.Submodules || old.Submodules
	m.state.Encodings = c.Encodings || old.Encodings
	return nil
}

// checkout returns the tree as Git's working copy.
func (m *materializer) checkout() *git.Checkout {
	c := m.repo.Checkout(m.stage.index(), m.stage.tree)
	c.LFS = m.options.LFS
	return c
}

// write makes Git write the tree of the commit.
func (m *materializer) write(ctx context.Context) error {
	c := m.checkout()
	c.Serial = m.state.Encodings || encodingsOutside(m.repo)
	return c.Write(ctx, m.state.Tree)
}

// sweep takes over the target, whose state is old, and sweeps it. After an error the whole
// tree must be written again.
func (m *materializer) sweep(ctx context.Context, old state) (*sweep, error) {
	s := m.stage
	if err := s.takeOver(old.Mode); err != nil {
		return nil, err
	}
	c := m.checkout()
	filtered, err := c.Filtered(ctx)
	if err != nil {
		return nil, err
	}
	w := &sweep{fresh: s.fresh, since: old.complete, remove: map[string]bool{}}
	for _, path := range filtered {
		w.remove[path] = true
	}
	if m.options.KeepIgnored {
		if w.tracked, err = m.tracked(ctx, c); err != nil {
			return nil, err
		}
	}
	return w, w.root(s.tree, statOf(s.info).Ctim.Nano() >= old.complete)
}

// update changes a swept workspace into the tree of the commit. extra says that it may
// contain files that are not in the index.
func (m *materializer) update(ctx context.Context, extra bool) error {
	if err := m.write(ctx); err != nil || !extra {
		return err
	}
	c := m.checkout()
	if err := c.Clean(ctx, m.options.KeepIgnored); err != nil || !m.state.Submodules {
		return err
	}
	return m.emptySubmodules(ctx, c)
}

// tracked returns the files of the index, their directories, and the directories of the new
// tree.
func (m *materializer) tracked(ctx context.Context, c *git.Checkout) (map[string]bool, error) {
	files, err := c.Files(ctx)
	if err != nil {
		return nil, err
	}
	dirs, err := c.Directories(ctx, m.state.Tree)
	if err != nil {
		return nil, err
	}
	tracked := map[string]bool{}
	for _, path := range append(files, dirs...) {
		for ; path != "." && !tracked[path]; path = filepath.Dir(path) {
			tracked[path] = true
		}
	}
	return tracked, nil
}

// fresh removes the earlier workspace and writes the tree of the commit.
func (m *materializer) fresh(ctx context.Context) error {
	s := m.stage
	if m.options.Reuse && s.info != nil {
		if err := s.throwAway(); err != nil {
			return err
		}
		if err := os.Chmod(s.tree, s.info.Mode().Perm()|0o700); err != nil {
			return err
		}
	}
	if err := os.Remove(s.index()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	err := m.write(ctx)
	if err != nil && ctx.Err() == nil {
		if cause := s.writeError(); cause != nil {
			err = fmt.Errorf("%w: %w", err, cause)
		}
	}
	return err
}
