package workspace

import (
	"context"
	"fmt"
	"path/filepath"

	"quire/lib/file"
	"quire/lib/git"
)

// modulesFile describes submodules, at the top of a tree.
const modulesFile = ".gitmodules"

// maxNested is how deep submodules may be in submodules.
const maxNested = 20

// addSubmodules empties the directories of submodules, which Git leaves alone, and writes
// their trees if that is wanted. If one is missing, the error names it.
func (m *materializer) addSubmodules(ctx context.Context, modules []git.Entry) error {
	for _, module := range modules {
		dir := filepath.Join(m.stage.tree, module.Name)
		names, err := readNames(dir)
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := file.RemoveTree(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	if !m.options.Submodules || len(modules) == 0 {
		return nil
	}
	if m.options.nested == maxNested {
		return fmt.Errorf("submodules are more than %d deep", maxNested)
	}
	known := map[string]git.Submodule{}
	if oid, kind, _, err := m.objects.Info(m.state.Tree + ":" + modulesFile); err == nil && kind == "blob" {
		list, err := m.repo.Submodules(ctx, oid)
		if err != nil {
			return err
		}
		for _, s := range list {
			known[s.Path] = s
		}
	}
	for _, module := range modules {
		s, ok := known[module.Name]
		if !ok {
			return fmt.Errorf("submodule '%s' is not in %s", shorten(module.Name), modulesFile)
		}
		if err := m.addSubmodule(ctx, s, module.OID); err != nil {
			return fmt.Errorf("submodule '%s': %w", shorten(module.Name), err)
		}
	}
	return nil
}

func (m *materializer) addSubmodule(ctx context.Context, s git.Submodule, commit string) error {
	repo, err := m.repo.SubmoduleRepo(s)
	if err != nil {
		return err
	}
	// No other process is in the stage, and Git has just made its directories: no link is
	// on the way.
	return Materialize(ctx, repo, commit, filepath.Join(m.stage.tree, s.Path), Options{
		LFS: m.options.LFS, Submodules: true, nested: m.options.nested + 1,
	})
}
