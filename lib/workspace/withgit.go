package workspace

import "context"

// addGit gives the workspace a .git, where that is wanted.
func (m *materializer) addGit(ctx context.Context) error {
	return nil
}
