// Package hook puts quire's post-receive hook into repositories, and takes it away
// again. What git runs is a small script of the repository's own, which runs the
// hook that was there before and then the one that make install put beside the
// commands: so an upgrade is one for all repositories, and a quire that has gone is
// an error that the pusher reads, where a link that leads nowhere would be no hook
// at all.
//
// With the hook that was there, which is kept as it is:
//
//	hooks/post-receive           the script
//	hooks/post-receive.chained   the hook that was there
//	hooks/chained/post-receive   -> ../post-receive.chained
//
// It is run by the link, as many hooks do what their own name says, and stays beside
// what it may refer to.
package hook

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"quire/lib/git"
)

// A Hook is the place in which git looks for the post-receive hook of a repository.
type Hook struct {
	repo   *git.Repo
	dir    string
	shared string // why the directory is not this repository's alone; "" if it is
	own    string // quire's hook, which make install put beside the commands
}

// Find returns the hook of a repository, which is not that of a linked working tree.
// own is the path of quire's own.
func Find(ctx context.Context, repo *git.Repo, own string) (*Hook, error) {
	dir, scope, err := repo.HooksDir(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot find hooks of '%s': %w", repo.Dir(), err)
	}
	h := &Hook{repo: repo, dir: dir, own: own}
	rel, err := filepath.Rel(real(repo.CommonDir()), real(dir))
	switch {
	case scope != "":
		h.shared = fmt.Sprintf("core.hooksPath of the %s configuration is '%s'", scope, dir)
	case err != nil || !filepath.IsLocal(rel):
		h.shared = fmt.Sprintf("its hooks are in '%s'", real(dir))
	}
	return h, nil
}

// Own returns where make install put quire's hook: beside the directory of program, one
// of the commands, or where that is a link, of what it leads to.
func Own(program string) string {
	beside := func(program string) string {
		return filepath.Join(filepath.Dir(filepath.Dir(program)), ownSuffix)
	}
	if target := beside(real(program)); runnable(beside(program)) != nil && runnable(target) == nil {
		return target
	}
	return beside(program)
}

// real resolves the links of a path, of which the last name need not be there.
func real(path string) string {
	if p, err := filepath.EvalSymlinks(path); err == nil {
		return p
	}
	if p, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(p, filepath.Base(path))
	}
	return path
}

// A Refusal says why a hook was left as it is.
type Refusal struct{ why string }

func (r *Refusal) Error() string { return r.why }

func refusef(format string, args ...any) error { return &Refusal{fmt.Sprintf(format, args...)} }

// CheckOwner refuses a repository that belongs to another user, to whom what is made
// in it could be out of reach.
func CheckOwner(repo *git.Repo) error {
	info, err := os.Stat(repo.CommonDir())
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(stat.Uid) == os.Geteuid() {
		return nil
	}
	name := strconv.Itoa(int(stat.Uid))
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	return refusef("it belongs to user '%s': run this as that user", name)
}

const name = "post-receive"

func (h *Hook) saved() string   { return filepath.Join(h.dir, name+".chained") }
func (h *Hook) chained() string { return filepath.Join(h.dir, "chained", name) }
func (h *Hook) staged() string  { return filepath.Join(h.dir, name+".new-by-quire") }

// Path returns where git looks for the hook.
func (h *Hook) Path() string { return filepath.Join(h.dir, name) }

// Installed returns nil when git finds quire's hook and can run it, and else says why
// it does not.
func (h *Hook) Installed() error {
	at, err := h.look(h.Path())
	if err != nil {
		return err
	}
	switch at.kind {
	case absent:
		return errors.New("there is none")
	case foreign:
		if strings.Contains(at.text, "quire-trigger") || strings.Contains(at.text, ownSuffix) {
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

// runnable returns an error unless path leads to a file that can be run.
func runnable(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("'%s' is not there", path)
	case err != nil:
		return err
	case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
		return fmt.Errorf("'%s' is not executable", path)
	}
	return nil
}
