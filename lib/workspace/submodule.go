package workspace

import (
	"context"
	"fmt"
	"path/filepath"

	"quire/lib/git"
)

// modulesFile describes submodules, at the top of a tree.
const modulesFile = ".gitmodules"

// maxNested is how deep submodules may be nested.
const maxNested = 20

// emptySubmodules removes everything in the directories of submodules. Git does not clean
// them.
func (m *materializer) emptySubmodules(ctx context.Context, c *git.Checkout) error {
	modules, err := c.Submodules(ctx)
	for _, module := range modules {
		if err == nil {
			err = clearDirectory(filepath.Join(m.stage.tree, module.Name), "")
		}
	}
	return err
}

// addSubmodules writes the trees of submodules, if the caller wants them. If one is
// missing, the error names it.
func (m *materializer) addSubmodules(ctx context.Context) error {
	if !m.options.Submodules || !m.state.Submodules {
		return nil
	}
	modules, err := m.checkout().Submodules(ctx)
	if err != nil || len(modules) == 0 {
		return err
	}
	if m.options.nested == maxNested {
		return fmt.Errorf("submodules are more than %d deep", maxNested)
	}
	known := map[string]git.Submodule{}
	if blob, err := m.objects.Info(m.state.Tree + ":" + modulesFile); err == nil && blob.Type == "blob" {
		list, err := m.repo.Submodules(ctx, blob.OID)
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
	// No part of the path is a link: Git has just made the directories, and no other process
	// writes in the stage.
	return Materialize(ctx, repo, commit, filepath.Join(m.stage.tree, s.Path), Options{
		LFS: m.options.LFS, Submodules: true, nested: m.options.nested + 1,
	})
}
