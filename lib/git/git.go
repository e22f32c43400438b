// Package git reads and changes a repository. It is the only package that starts git, so
// that the environment, the options and the errors of every git that quire runs
// are decided in one place.
//
// The oldest git it works with is 2.34: it does not use cat-file's --batch-command (2.36)
// and -z (2.38).
package git

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"quire/lib/file"
	"quire/lib/text"
)

// A Repo is one repository. Its methods may be called by many goroutines.
type Repo struct {
	dir        string
	quarantine string // see findQuarantine
	env        []string
	config     func() (map[string][]string, error)
}

// Open returns the repository at dir: a Git directory, bare or not, or a working copy with
// one in .git. It starts no process. If dir is not a repository, the error says so.
func Open(dir string) (*Repo, error) {
	gitDir, err := findGitDir(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot open repository '%s': %w", dir, err)
	}
	return newRepo(gitDir), nil
}

// newRepo returns the repository with a Git directory. With "" it has only the configuration
// outside of repositories.
func newRepo(gitDir string) *Repo {
	r := &Repo{dir: gitDir}
	r.quarantine = r.findQuarantine()
	r.env = append(CleanEnv(os.Environ()),
		"GIT_DIR="+cmp.Or(gitDir, os.DevNull),
		"GIT_NO_REPLACE_OBJECTS=1", // a run uses the commit that was pushed
		"GIT_OPTIONAL_LOCKS=0",     // reading must not make a push wait for a lock
		"GIT_TERMINAL_PROMPT=0",
		"LC_ALL=C", // some error messages are parsed
	)
	if r.quarantine != "" {
		r.env = append(r.env, "GIT_ALTERNATE_OBJECT_DIRECTORIES="+quotePath(r.quarantine))
	}
	r.config = sync.OnceValues(r.loadConfig)
	return r
}

// Dir returns the absolute path of the Git directory.
func (r *Repo) Dir() string { return r.dir }

var errNoRepository = errors.New("not a git repository")

func findGitDir(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(abs); err != nil {
		return "", text.Cause(err)
	}
	if isGitDir(abs) {
		return abs, nil
	}
	inner := filepath.Join(abs, ".git")
	if isGitDir(inner) {
		return inner, nil
	}
	// In a linked working tree or a submodule, .git is a file that names the
	// Git directory, see gitrepository-layout(5).
	text, err := file.Read(inner)
	if err != nil {
		return "", errNoRepository
	}
	target, ok := strings.CutPrefix(strings.TrimRight(string(text), "\r\n"), "gitdir: ")
	if !ok {
		return "", errNoRepository
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(abs, target)
	}
	if !isGitDir(target) {
		return "", errNoRepository
	}
	return target, nil
}

// isGitDir reports whether dir has the files that git itself requires: a HEAD, and objects
// or, in a linked working tree, commondir.
func isGitDir(dir string) bool {
	if _, err := os.Lstat(filepath.Join(dir, "HEAD")); err != nil {
		return false
	}
	for _, name := range []string{"objects", "commondir"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

// keptVariables are the GIT_ variables that select configuration files, as HOME does: they
// are set by the machine's owner, not by the push that runs a hook.
var keptVariables = []string{"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"}

// CleanEnv returns environ without the variables that git sets for its hooks or that change
// git's behaviour (GIT_DIR, GIT_QUARANTINE_PATH, GIT_CONFIG_COUNT, GIT_TRACE and all others
// that begin with GIT_). Only the variables stay that select the system's and the user's
// configuration file.
func CleanEnv(environ []string) []string {
	clean := make([]string, 0, len(environ))
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "GIT_") || slices.Contains(keptVariables, name) {
			clean = append(clean, entry)
		}
	}
	return clean
}
