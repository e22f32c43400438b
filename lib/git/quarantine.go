package git

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// quarantineVariable names, in the environment of a pre-receive hook, the directory with
// the objects of a push that git has not accepted yet, see "QUARANTINE ENVIRONMENT" in
// git-receive-pack(1).
const quarantineVariable = "GIT_QUARANTINE_PATH"

// findQuarantine returns the absolute path of the quarantine of a push to this repository,
// "" outside of the hook of such a push.
func (r *Repo) findQuarantine() string {
	dir := os.Getenv(quarantineVariable)
	if dir == "" || r.dir == "" {
		return ""
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	parent, err := os.Stat(filepath.Dir(dir))
	if err != nil {
		return ""
	}
	objects, err := os.Stat(filepath.Join(r.CommonDir(), "objects"))
	if err != nil || !os.SameFile(parent, objects) {
		return "" // of a push to another repository
	}
	return dir
}

// objectDirs returns the directories with the repository's objects. Git's processes get
// the quarantine as one more directory to read from. So unlike with the variables that the
// hook has, none of them could write into it.
func (r *Repo) objectDirs() []string {
	dirs := []string{filepath.Join(r.CommonDir(), "objects")}
	if r.quarantine != "" {
		dirs = append(dirs, r.quarantine)
	}
	return dirs
}

// quotePath quotes a path for GIT_ALTERNATE_OBJECT_DIRECTORIES, see git(1).
func quotePath(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(path) + `"`
}

// Target returns the ref that a push to name changes: the one that a symbolic ref leads to,
// otherwise name itself. It starts git only if the refs are not files, as with reftable.
func (r *Repo) Target(ctx context.Context, name string) (string, error) {
	format, _, err := r.Config("extensions.refStorage")
	if err != nil {
		return "", err
	}
	if format != "" && format != "files" {
		out, err := r.output(ctx, "symbolic-ref", "-q", name)
		if exitedWith(err, 1) {
			return name, nil
		}
		return strings.TrimSpace(string(out)), err
	}
	const deepest = 5 // as in git
	for range deepest {
		text, err := os.ReadFile(filepath.Join(r.CommonDir(), name))
		next, symbolic := strings.CutPrefix(string(text), "ref:")
		if err != nil || !symbolic {
			break
		}
		name = strings.TrimSpace(next)
	}
	return name, nil
}
