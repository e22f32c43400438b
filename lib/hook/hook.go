// Package hook installs quire's hooks in repositories, post-receive and, for a gate,
// pre-receive, and uninstalls them. Git runs a small script in the repository. The script
// runs quire's own hook, which make install puts next to the commands, with the path of the
// hook that the script replaced, if any. So one upgrade serves all repositories, and if quire
// is gone, the pusher reads an error. (Git silently ignores a hook that is a dangling link.)
//
// A hook that was installed before is kept unchanged:
//
//	hooks/post-receive           the script
//	hooks/post-receive.chained   the earlier hook
//	hooks/chained/post-receive   -> ../post-receive.chained
//
// The same holds for pre-receive.
//
// quire-trigger runs the earlier hook by the link, because many hooks depend on their own
// name. The hook stays in hooks/, next to files that it may use.
package hook

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"quire/lib/git"
	"quire/lib/owner"
)

// A Hook is a hook of a repository, installed or not.
type Hook struct {
	name   string // postReceive or preReceive
	repo   *git.Repo
	dir    string
	shared string // why other repositories use the directory, too; "" if they do not
	own    string // the path of quire's own hook
}

// The hooks of quire.
const (
	postReceive = "post-receive"
	preReceive  = "pre-receive"
)

// Gate returns the pre-receive hook of the same repository.
func (h *Hook) Gate() *Hook {
	gate := *h
	gate.name, gate.own = preReceive, filepath.Join(filepath.Dir(h.own), preReceive)
	return &gate
}

// Find returns the post-receive hook of a repository, which must not be a linked working
// tree. own is the path of quire's own hook.
func Find(ctx context.Context, repo *git.Repo, own string) (*Hook, error) {
	dir, scope, err := repo.HooksDir(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot find hooks of '%s': %w", repo.Dir(), err)
	}
	h := &Hook{name: postReceive, repo: repo, dir: dir, own: own}
	rel, err := filepath.Rel(real(repo.CommonDir()), real(dir))
	switch {
	case scope != "":
		h.shared = fmt.Sprintf("core.hooksPath of the %s configuration is '%s'", scope, dir)
	case err != nil || !filepath.IsLocal(rel):
		h.shared = fmt.Sprintf("its hooks are in '%s'", real(dir))
	}
	return h, nil
}

// Own returns the path of quire's own post-receive hook. make install put it beside the
// directory of program, one of the commands. If program is a link, its target may count.
func Own(program string) string {
	hookOf := func(program string) string {
		return filepath.Join(filepath.Dir(filepath.Dir(program)), ownDir+postReceive)
	}
	if target := hookOf(real(program)); runnable(hookOf(program)) != nil && runnable(target) == nil {
		return target
	}
	return hookOf(program)
}

// real resolves the links of a path, whose last component need not exist.
func real(path string) string {
	if p, err := filepath.EvalSymlinks(path); err == nil {
		return p
	}
	if p, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(p, filepath.Base(path))
	}
	return path
}

// A Refusal says why a hook was not changed.
type Refusal struct{ why string }

func (r *Refusal) Error() string { return r.why }

func refusef(format string, args ...any) error { return &Refusal{fmt.Sprintf(format, args...)} }

// CheckOwner refuses a repository that belongs to another user, who might not be able to
// use new files in it.
func CheckOwner(repo *git.Repo) error {
	name, err := owner.Foreign(repo.CommonDir())
	if err != nil || name == "" {
		return err
	}
	return refusef("it belongs to user '%s': run this as that user", name)
}

func (h *Hook) saved() string   { return filepath.Join(h.dir, h.name+".chained") }
func (h *Hook) chained() string { return filepath.Join(h.dir, "chained", h.name) }
func (h *Hook) staged() string  { return filepath.Join(h.dir, h.name+".new-by-quire") }

// Path returns the path of the hook that git runs.
func (h *Hook) Path() string { return filepath.Join(h.dir, h.name) }

// Installed returns nil if git runs quire's hook. Otherwise the error says why not.
func (h *Hook) Installed() error {
	at, err := h.inspect(h.Path())
	if err != nil {
		return err
	}
	switch at.kind {
	case absent:
		return errors.New("it does not exist")
	case theirs:
		if strings.Contains(at.text, "quire-trigger") || strings.Contains(at.text, ownDir+h.name) {
			return runnable(h.Path())
		}
		return errors.New("it is not quire's")
	case script:
		if err := runnable(at.target); err != nil {
			return err
		}
	}
	return runnable(h.Path())
}

// runnable returns an error unless path is an executable file.
func runnable(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("'%s' does not exist", path)
	case err != nil:
		return err
	case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
		return fmt.Errorf("'%s' is not executable", path)
	}
	return nil
}
