// Package workspace writes the tree of a commit into a directory: whole, exactly
// what `git checkout` gives in that repository, and all or nothing.
//
// Git is asked for the objects, and files are written here, by as many workers as
// there are processors, which beats `git archive | tar -x` the more of those
// there are. The files that the repository's attributes and filters change on the
// way out are left to git itself.
package workspace

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"quire/lib/git"
)

// Options of Materialize. The zero value makes a fresh workspace.
type Options struct {
	// Reuse takes over what an earlier call left in the directory, and turns it
	// into exactly the commit's tree: all else in it is removed. Files that are
	// right already are neither read nor written where the record of the earlier
	// call, kept beside the directory, proves it.
	Reuse bool
	// KeepIgnored leaves files that git ignores where they are, with Reuse.
	KeepIgnored bool
	// LFS puts files in place of pointers of Git LFS, by the filter that the
	// configuration has for it; if there is none, or it fails, so does Materialize.
	LFS bool
	// WithGit gives the workspace a .git that borrows the repository's objects.
	WithGit bool
	// Submodules writes the trees of submodules too, from repositories on this
	// machine, see git.Repo.SubmoduleRepo; if one is not there, Materialize fails.
	// They have no .git.
	Submodules bool

	nested int // how many submodules the tree is in
}

// Errors of Materialize. They come wrapped.
var (
	ErrUnknownCommit = errors.New("no such commit")
	ErrNotEmpty      = errors.New("directory not empty")
)

// Materialize writes the tree of commit, anything that git resolves to a commit,
// into the directory dir, which is absent or empty unless o.Reuse is set. On any
// failure nothing is left of dir. Not even a kill leaves half a workspace there:
// the tree is written beside dir and renamed when it is whole, and what a killed
// call left beside it is removed by the next one.
//
// A tree is refused that no git makes: with names such as ".." or any spelling of
// ".git", names twice in a directory, unknown modes.
func Materialize(ctx context.Context, repo *git.Repo, commit, dir string, o Options) error {
	if o.nested == 0 {
		defer asBatch()()
	}
	s, err := newStage(dir, o.Reuse)
	if err != nil {
		return fmt.Errorf("cannot materialize '%s' into '%s': %w", commit, dir, err)
	}
	objects, err := repo.Objects(ctx)
	if err != nil {
		return err
	}
	defer objects.Close()
	go repo.Config("core.eol") // read beside the trees: it is needed in a moment
	oid, tree, _, err := objects.Commit(commit)
	if errors.Is(err, git.ErrMissing) {
		return fmt.Errorf("cannot find commit '%s' in '%s': %w", commit, repo.Dir(), ErrUnknownCommit)
	} else if err != nil {
		return fmt.Errorf("cannot find commit '%s': %w", commit, err)
	}
	if err := materialize(ctx, repo, objects, oid, tree, s, o); err != nil {
		return fmt.Errorf("cannot materialize '%s' into '%s': %w", commit, dir, err)
	}
	return nil
}

func materialize(ctx context.Context, repo *git.Repo, objects *git.Objects, commit, tree string, s *stage, o Options) (err error) {
	p, err := readPlan(objects, s.old().trees, tree, maxEntries)
	if err != nil {
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	defer func() {
		if discardErr := s.discard(); err == nil && discardErr != nil {
			err = fmt.Errorf("cannot remove what is left over: %w", discardErr)
		}
	}()
	m := &materializer{repo: repo, objects: objects, commit: commit, plan: p, stage: s, options: o}
	if err := m.fill(ctx); err != nil {
		return err
	}
	return s.publish()
}

// materializer is what the steps of one Materialize share.
type materializer struct {
	repo    *git.Repo
	objects *git.Objects
	commit  string
	plan    *plan
	stage   *stage
	options Options
}

// complete adds what is beside the files.
func (m *materializer) complete(ctx context.Context) error {
	if err := m.addSubmodules(ctx); err != nil {
		return err
	}
	return m.addGit(ctx)
}

// addGit gives the workspace a .git, where that is wanted.
func (m *materializer) addGit(ctx context.Context) error {
	if !m.options.WithGit {
		return nil
	}
	return m.repo.Borrow(ctx, m.stage.tree, m.commit, m.plan.index())
}

// fill makes the stage's tree that of the plan.
func (m *materializer) fill(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	filtered, err := m.findFiltered(ctx)
	if err != nil {
		return err
	}
	defer func() {
		cancel()
		filtered.answer() // nothing of it outlives the stage
	}()
	root, err := openDir(atCwd, m.stage.tree)
	if err != nil {
		return err
	}
	defer root.close()
	if !m.options.Reuse {
		w := m.writer(root)
		w.dirs = newDirMaker(root, m.plan)
		if err := m.write(ctx, w, filtered, m.plan.all()); err != nil {
			return err
		}
		return m.complete(ctx)
	}
	records := newRecorder(m.plan)
	sweep, err := m.newSweep(root, filtered, records)
	if err != nil {
		return err
	}
	if err := sweep.run(); err != nil {
		return err
	}
	w := m.writer(root)
	w.records = records
	if err := m.write(ctx, w, filtered, sweep.todo); err != nil {
		return err
	}
	if !m.options.KeepIgnored {
		if err := records.addDirs(root); err != nil {
			return err
		}
	}
	if m.options.KeepIgnored {
		if err := m.removeUntracked(ctx, root); err != nil {
			return err
		}
	}
	if err := m.complete(ctx); err != nil {
		return err
	}
	return records.save(m.stage.path("record"))
}

func (m *materializer) writer(root fd) *writer {
	return &writer{repo: m.repo, objects: m.objects, plan: m.plan, root: root}
}

// write writes files, and those directories that are not there yet: first the files
// that git is not asked about, last those that git writes, by the attribute files that are
// there by then.
func (m *materializer) write(ctx context.Context, w *writer, filtered *filtered, files []todo) error {
	var plain, asked []todo
	for _, t := range files {
		if filtered.asked[t.file] {
			asked = append(asked, t)
		} else {
			plain = append(plain, t)
		}
	}
	if err := w.write(ctx, plain, runtime.GOMAXPROCS(0)); err != nil {
		return err
	}
	changed, err := filtered.answer()
	if err != nil {
		return err
	}
	var byGit []int32
	plain = plain[:0]
	for _, t := range asked {
		if _, ok := filtered.of(t.file); ok {
			byGit = append(byGit, t.file)
		} else {
			plain = append(plain, t)
		}
	}
	if err := w.write(ctx, plain, runtime.GOMAXPROCS(0)); err != nil {
		return err
	}
	if w.dirs != nil {
		if err := w.dirs.makeAll(); err != nil {
			return err
		}
	}
	if err := m.checkout(ctx, filtered.index, byGit); err != nil {
		return err
	}
	if w.records == nil {
		return nil
	}
	return w.records.addChanged(w.root, changed, byGit)
}

// checkout has git write files.
func (m *materializer) checkout(ctx context.Context, index *git.Index, files []int32) error {
	if len(files) == 0 {
		return nil
	}
	paths := make([]string, len(files))
	for i, file := range files {
		paths[i] = m.plan.path(&m.plan.files[file])
	}
	return index.Checkout(ctx, m.stage.tree, paths)
}
