// Package repos finds the repositories of a root: the directories below its repos/, and the
// links there to repositories elsewhere. The path below repos/ is the name of a repository,
// which selects its runs, settings and secrets.
package repos

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"quire/lib/git"
	"quire/lib/runstore"
	"quire/lib/text"
)

// NameKey is the git config variable for the name of a repository.
const NameKey = "quire.name"

// dirName is the directory of a root that has the repositories.
const dirName = "repos"

// Name returns the name of a repository in root, and whether repos/ of root has the
// repository with that name. The name is the first that exists of: quire.name if repos/ has
// the repository with that name, its path below repos/, quire.name, the last component of
// its path. A quire.name that would leave the root is ignored. root is "" for a run that no
// root records.
func Name(repo *git.Repo, root string) (name string, linked bool) {
	configured := ""
	if value, ok, err := repo.Config(NameKey); err == nil && ok && Check(value) == nil {
		configured = filepath.Clean(value)
	}
	if root != "" {
		if configured != "" && same(path(root, configured), repo.Dir()) {
			return configured, true
		}
		if rel, ok := below(filepath.Join(root, dirName), repo.Dir()); ok {
			return rel, true
		}
	}
	name = configured
	if name == "" {
		name = filepath.Base(topDir(repo))
	}
	return name, root != "" && same(path(root, name), repo.Dir())
}

// Check returns an error unless name can be the name of a repository.
func Check(name string) error {
	if !filepath.IsLocal(name) || filepath.Clean(name) == "." {
		return fmt.Errorf("'%s': not a path below the root's repos/", text.Escape(name))
	}
	return runstore.CheckRepo(filepath.Clean(name))
}

// topDir returns the directory of the working copy, or of a bare repository.
func topDir(repo *git.Repo) string {
	dir := repo.Dir()
	if filepath.Base(dir) == ".git" {
		return filepath.Dir(dir)
	}
	return dir
}

func path(root, name string) string { return filepath.Join(root, dirName, name) }

// same reports whether two paths are the same directory, or a working copy and its Git
// directory.
func same(entry, dir string) bool {
	a, err := os.Stat(entry)
	if err != nil {
		return false
	}
	b, err := os.Stat(dir)
	if err == nil && os.SameFile(a, b) {
		return true
	}
	b, err = os.Stat(filepath.Dir(dir))
	return err == nil && filepath.Base(dir) == ".git" && os.SameFile(a, b)
}

// below returns the path of a directory relative to dir, with all links resolved, and
// whether the directory is below dir.
func below(dir, path string) (string, bool) {
	for _, p := range []*string{&dir, &path} {
		abs, err := filepath.Abs(*p)
		if err != nil {
			return "", false
		}
		if real, err := filepath.EvalSymlinks(abs); err == nil {
			abs = real
		}
		*p = abs
	}
	rel, err := filepath.Rel(dir, path)
	if err != nil || rel == "." || !filepath.IsLocal(rel) {
		return "", false
	}
	return rel, true
}

// A Broken is an entry of repos/ that is not a readable directory.
type Broken struct {
	Path string
	Err  error
}

func (b *Broken) Error() string {
	return fmt.Sprintf("cannot read '%s': %v", b.Path, text.Cause(b.Err))
}

// List returns the repositories of root, each once, sorted by name. It follows links. Its
// error joins a *Broken for each entry that could not be read; the repositories returned
// with it are valid.
func List(root string) ([]*git.Repo, error) {
	l := &lister{}
	top := filepath.Join(root, dirName)
	if _, err := os.Lstat(top); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	l.visit(top)
	return l.repos, errors.Join(l.broken...)
}

type lister struct {
	visited []fs.FileInfo // repositories, and directories that were reached by a link
	repos   []*git.Repo
	broken  []error
}

// visit searches path, which is a directory or a link.
func (l *lister) visit(path string) {
	info, err := os.Stat(path)
	if err != nil {
		l.broken = append(l.broken, &Broken{path, err})
		return
	}
	if !info.IsDir() {
		return
	}
	if slices.ContainsFunc(l.visited, func(other fs.FileInfo) bool { return os.SameFile(info, other) }) {
		return
	}
	l.visited = append(l.visited, info)
	if link, _ := os.Readlink(path); link != "" {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real // as the hook of the repository sees it
		}
	}
	if repo, err := git.Open(path); err == nil {
		l.repos = append(l.repos, repo)
		return
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		l.broken = append(l.broken, &Broken{path, err})
	}
	for _, e := range entries {
		if e.IsDir() || e.Type()&fs.ModeSymlink != 0 {
			l.visit(filepath.Join(path, e.Name()))
		}
	}
}
