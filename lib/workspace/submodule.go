package workspace

import (
	"context"
	"fmt"
	"path/filepath"

	"quire/lib/git"
)

// modulesFile describes submodules, at the top of a tree.
const modulesFile = ".gitmodules"

// maxNested is how deep submodules may be in submodules.
const maxNested = 20

// addSubmodules writes the trees of the submodules into their directories, where
// that is wanted. One that cannot be had is an error that names it.
func (m *materializer) addSubmodules(ctx context.Context) error {
	if !m.options.Submodules || len(m.plan.modules) == 0 {
		return nil
	}
	if m.options.nested == maxNested {
		return fmt.Errorf("submodules are more than %d deep", maxNested)
	}
	known := map[string]git.Submodule{}
	for i := range m.plan.files {
		if f := &m.plan.files[i]; m.plan.path(f) == modulesFile && f.mode != git.ModeLink {
			list, err := m.repo.Submodules(ctx, f.oid)
			if err != nil {
				return err
			}
			for _, s := range list {
				known[s.Path] = s
			}
		}
	}
	for _, module := range m.plan.modules {
		s, ok := known[module.Path]
		if !ok {
			return fmt.Errorf("submodule '%s' is not in %s", shorten(module.Path), modulesFile)
		}
		if err := m.addSubmodule(ctx, s, module.OID); err != nil {
			return fmt.Errorf("submodule '%s': %w", shorten(module.Path), err)
		}
	}
	return nil
}

func (m *materializer) addSubmodule(ctx context.Context, s git.Submodule, commit string) error {
	repo, err := m.repo.SubmoduleRepo(s)
	if err != nil {
		return err
	}
	// Nobody else is in the stage, and its tree has just been made: no link is on
	// the way.
	target := filepath.Join(m.stage.tree, s.Path)
	dir, err := openDir(atCwd, target)
	if err != nil {
		return err
	}
	err = dir.removeEntries() // that KeepIgnored left
	dir.close()
	if err != nil {
		return err
	}
	return Materialize(ctx, repo, commit, target, Options{
		LFS: m.options.LFS, Submodules: true, nested: m.options.nested + 1,
	})
}
