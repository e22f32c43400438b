// Package git asks a repository. It is the only package that starts git, so
// that the environment, the options and the errors of every git that quire runs
// are settled in one place.
//
// The oldest git it works with is 2.34: it does without cat-file's
// --batch-command (2.36) and -z (2.38).
package git

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"quire/lib/file"
	"quire/lib/text"
)

// A Repo is one repository. Its methods may be called by many goroutines.
type Repo struct {
	dir    string
	env    []string
	config func() (map[string][]string, error)
}

// Open returns the repository at dir: a Git directory, bare or not, or a
// working copy with one in .git. It starts no process; what is not a repository
// is an error that says so.
func Open(dir string) (*Repo, error) {
	gitDir, err := findGitDir(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot open repository '%s': %w", dir, err)
	}
	return at(gitDir), nil
}

// nowhere returns a Repo that stands for the configuration outside of repositories. It has
// nothing else.
func nowhere() *Repo { return at("") }

func at(gitDir string) *Repo {
	r := &Repo{dir: gitDir}
	r.env = append(CleanEnv(os.Environ()),
		"GIT_DIR="+cmp.Or(gitDir, os.DevNull),
		"GIT_NO_REPLACE_OBJECTS=1", // a run is of the commit that was pushed
		"GIT_OPTIONAL_LOCKS=0",     // asking must not make a push wait for a lock
		"GIT_TERMINAL_PROMPT=0",
		"LC_ALL=C", // the words of errors are looked at
	)
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
	// A linked working tree or a submodule: .git is a file that names the
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

// isGitDir reports whether dir has what git itself looks for: a HEAD, and
// objects, which a linked working tree has elsewhere.
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

// keptVariables are those of git's that name configuration files, as HOME does:
// they belong to the machine's owner, not to the push that happens to run a hook.
var keptVariables = map[string]bool{
	"GIT_CONFIG_GLOBAL":   true,
	"GIT_CONFIG_SYSTEM":   true,
	"GIT_CONFIG_NOSYSTEM": true,
}

// CleanEnv returns environ without the variables that git sets for its hooks or
// takes its orders from (GIT_DIR, GIT_QUARANTINE_PATH, GIT_CONFIG_COUNT,
// GIT_TRACE and all others that begin with GIT_). Only those that name the
// system's and the user's configuration file stay.
func CleanEnv(environ []string) []string {
	clean := make([]string, 0, len(environ))
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "GIT_") || keptVariables[name] {
			clean = append(clean, entry)
		}
	}
	return clean
}
