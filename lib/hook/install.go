package hook

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"quire/lib/file"
	"quire/lib/text"
)

// Install makes quire's hook the one that git runs, chains the hook that was installed
// before, and makes git accept push options. The hook goes live with one rename(2). An
// interrupted Install is invisible and is completed by the next one. Installing twice
// changes nothing. If the hook must not be replaced, the error is a *Refusal.
//
// The caller must prevent concurrent installs and uninstalls of this hook.
func (h *Hook) Install(ctx context.Context) error {
	if err := h.install(ctx); err != nil {
		return fmt.Errorf("cannot install hook in '%s': %w", h.repo.Dir(), err)
	}
	return nil
}

func (h *Hook) install(ctx context.Context) error {
	if err := runnable(h.own); err != nil {
		return err
	}
	if h.shared != "" {
		if err := h.Installed(); err != nil {
			return refusef("%s, and serves other repositories too: %s", h.shared, h.Advice(""))
		}
		return h.configure(ctx)
	}
	at, before, err := h.inspectBoth()
	if err != nil {
		return err
	}
	chain := at.kind == theirs || before.kind == theirs
	switch {
	case at.kind == modified:
		return refusef("'%s' is a copy of quire's hook that differs from '%s': remove it", h.Path(), h.own)
	case at.kind == theirs && before.kind == theirs:
		return refusef("'%s' would be chained, but '%s' already exists: move one of them away", h.Path(), h.saved())
	}
	if err := os.MkdirAll(h.dir, 0o755); err != nil {
		return err
	}
	if chain {
		if err := h.link(); err != nil {
			return err
		}
	}
	if err := h.configure(ctx); err != nil {
		return err
	}
	wanted := h.script()
	if at.kind == script && at.text == wanted && at.executable {
		return nil
	}
	if at.kind != theirs {
		return h.write(h.Path(), wanted)
	}
	if err := h.write(h.saved(), wanted); err != nil {
		return err
	}
	return errors.Join(h.exchange(), syncPath(h.dir))
}

// Advice returns the shell command that makes git run quire's hook in the repository, for
// pushes that make runs in root; if root is "", quire-trigger finds it. If a person must
// edit a hook, it returns a comment after "#".
func (h *Hook) Advice(root string) string {
	install := "quire-trigger --git-dir " + text.QuoteLine(h.repo.Dir())
	if root != "" {
		install += " --root " + text.QuoteLine(root)
	}
	install += " --install-hook"
	if h.name == preReceive {
		install += " --gate"
	}
	if h.shared == "" || h.Installed() == nil {
		return install
	}
	own := filepath.Join(h.repo.CommonDir(), "hooks")
	if entries, err := os.ReadDir(h.dir); (err != nil || len(entries) == 0) && h.dir != own {
		// The repository would lose no other hook of the directory.
		return "git --git-dir " + text.QuoteLine(h.repo.Dir()) + " config core.hooksPath " + text.QuoteLine(own) + " && " + install
	}
	if at, err := h.inspect(h.Path()); err == nil && at.kind == absent {
		return "ln -s " + text.QuoteLine(h.own) + " " + text.QuoteLine(h.Path())
	}
	return "# make " + text.QuoteLine(h.Path()) + " also run " + text.QuoteLine(h.own) + ", or set core.hooksPath in this repository"
}

// inspectBoth describes the hook and the one that it chains.
func (h *Hook) inspectBoth() (at, before state, err error) {
	at, err = h.inspect(h.Path())
	if err == nil {
		before, err = h.inspect(h.saved())
	}
	return at, before, err
}

// link makes the link that runs the chained hook.
func (h *Hook) link() error {
	if err := os.Mkdir(filepath.Dir(h.chained()), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	target := filepath.Join("..", filepath.Base(h.saved()))
	err := os.Symlink(target, h.chained())
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if got, err := os.Readlink(h.chained()); err != nil || got != target {
		return refusef("'%s' exists and is not quire's link: move it away", h.chained())
	}
	return nil
}

// write replaces the file at path with the script.
func (h *Hook) write(path, content string) error {
	return file.Replace(path, h.staged(), 0o755, func(f *os.File) error {
		if _, err := f.WriteString(content); err != nil {
			return err
		}
		return f.Chmod(0o755) // despite the umask: every pusher must be able to run it
	})
}

// exchange swaps the script, which is at saved, and the installed hook. At every moment one
// of the two is installed, and the old hook is never lost.
func (h *Hook) exchange() error {
	err := unix.Renameat2(unix.AT_FDCWD, h.saved(), unix.AT_FDCWD, h.Path(), unix.RENAME_EXCHANGE)
	if err != nil {
		return fmt.Errorf("cannot exchange '%s' and '%s': %w", h.saved(), h.Path(), err)
	}
	return nil
}

// Uninstall undoes Install: the earlier hook is installed again, unchanged, and git accepts
// push options only if it did before. For the gate, receive.keepAlive is unset if it has the
// value that Install gives it. If the hook must not be changed, the error is a *Refusal.
func (h *Hook) Uninstall(ctx context.Context) error {
	err := h.uninstall()
	if err == nil || h.shared != "" {
		err = errors.Join(h.restore(ctx), err)
	}
	if err != nil {
		return fmt.Errorf("cannot uninstall hook in '%s': %w", h.repo.Dir(), err)
	}
	return nil
}

func (h *Hook) uninstall() error {
	at, before, err := h.inspectBoth()
	if err != nil {
		return err
	}
	if h.shared != "" {
		if at.kind == absent || at.kind == theirs {
			return nil
		}
		return refusef("%s, and serves other repositories too: remove it by hand, or set core.hooksPath in this repository", h.shared)
	}
	switch {
	case at.kind == modified:
		return refusef("'%s' is a copy of quire's hook that differs from '%s': remove it", h.Path(), h.own)
	case at.kind == theirs && before.kind == theirs:
		return refusef("neither '%s' nor the chained hook '%s' is quire's: remove one of them", h.Path(), h.saved())
	case at.kind == theirs:
		err = remove(h.saved()) // half installed
	case before.kind == theirs:
		err = os.Rename(h.saved(), h.Path())
	default:
		err = remove(h.Path())
	}
	if err == nil {
		err = errors.Join(remove(h.staged()), h.unlink())
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the directory of hooks does not exist
	}
	return errors.Join(err, syncPath(h.dir))
}

// unlink removes the link that ran the chained hook, and its directory, unless that contains
// other files.
func (h *Hook) unlink() error {
	if _, err := os.Readlink(h.chained()); err == nil {
		if err := os.Remove(h.chained()); err != nil {
			return err
		}
	}
	err := remove(filepath.Dir(h.chained()))
	if errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	return err
}

func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func syncPath(dir string) error {
	if err := file.Sync(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
