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
// before, and has git accept push options. The hook goes live with one rename(2). An
// interrupted Install is invisible and is completed by the next one. Installing twice
// changes nothing. If the hook must not be replaced, the error is a *Refusal.
//
// The caller must prevent other installs and uninstalls of this hook meanwhile.
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
		return h.advertise(ctx)
	}
	at, before, err := h.both()
	if err != nil {
		return err
	}
	chain := at.kind == foreign || before.kind == foreign
	switch {
	case at.kind == edited:
		return refusef("'%s' is a copy of quire's hook that differs from '%s': remove it", h.Path(), h.own)
	case at.kind == foreign && before.kind == foreign:
		return refusef("'%s' would be chained, but '%s' is there already: move one of them away", h.Path(), h.saved())
	}
	if err := os.MkdirAll(h.dir, 0o755); err != nil {
		return err
	}
	if chain {
		if err := h.link(); err != nil {
			return err
		}
	}
	if err := h.advertise(ctx); err != nil {
		return err
	}
	wanted := scriptFor(h.own)
	if at.kind == script && at.text == wanted && at.executable {
		return nil
	}
	if at.kind != foreign {
		return h.write(h.Path(), wanted)
	}
	if err := h.write(h.saved(), wanted); err != nil {
		return err
	}
	return errors.Join(h.exchange(), syncPath(h.dir))
}

// Advice returns the shell command that has git run quire's hook in the repository, for
// pushes that make runs in root; if root is "", quire-trigger finds it. It is a remark
// behind "#" if a person must edit a hook.
func (h *Hook) Advice(root string) string {
	install := "quire-trigger --git-dir " + text.QuoteLine(h.repo.Dir())
	if root != "" {
		install += " --root " + text.QuoteLine(root)
	}
	install += " --install-hook"
	if h.shared == "" || h.Installed() == nil {
		return install
	}
	own := filepath.Join(h.repo.CommonDir(), "hooks")
	if entries, err := os.ReadDir(h.dir); (err != nil || len(entries) == 0) && h.dir != own {
		// The directory has no other hook that the repository would miss.
		return "git --git-dir " + text.QuoteLine(h.repo.Dir()) + " config core.hooksPath " + text.QuoteLine(own) + " && " + install
	}
	if at, err := h.look(h.Path()); err == nil && at.kind == absent {
		return "ln -s " + text.QuoteLine(h.own) + " " + text.QuoteLine(h.Path())
	}
	return "# have " + text.QuoteLine(h.Path()) + " also run " + text.QuoteLine(h.own) + ", or set core.hooksPath in this repository"
}

// both looks at the hook and at the one that it chains.
func (h *Hook) both() (at, before sight, err error) {
	at, err = h.look(h.Path())
	if err == nil {
		before, err = h.look(h.saved())
	}
	return at, before, err
}

// link makes the link by which the chained hook is run.
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
		return refusef("'%s' is in the way", h.chained())
	}
	return nil
}

// write replaces the file at path with the script.
func (h *Hook) write(path, content string) error {
	return file.Replace(path, h.staged(), 0o755, func(f *os.File) error {
		if _, err := f.WriteString(content); err != nil {
			return err
		}
		return f.Chmod(0o755) // whatever the umask: every pusher must be able to run it
	})
}

// exchange swaps the script, which is at saved, and the hook that is installed. At every
// moment one of the two is installed, and the old hook is never lost.
func (h *Hook) exchange() error {
	err := unix.Renameat2(unix.AT_FDCWD, h.saved(), unix.AT_FDCWD, h.Path(), unix.RENAME_EXCHANGE)
	if err != nil {
		return fmt.Errorf("cannot exchange '%s' and '%s': %w", h.saved(), h.Path(), err)
	}
	return nil
}

// Uninstall undoes what Install did: the hook that was there is again, as it was, and
// git accepts push options where it did before. What it must not touch is a *Refusal.
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
	at, before, err := h.both()
	if err != nil {
		return err
	}
	if h.shared != "" {
		if at.kind == absent || at.kind == foreign {
			return nil
		}
		return refusef("%s, and serves other repositories too: remove it by hand, or set core.hooksPath in this repository", h.shared)
	}
	switch {
	case at.kind == edited:
		return refusef("'%s' is a copy of quire's hook that differs from '%s': remove it", h.Path(), h.own)
	case at.kind == foreign && before.kind == foreign:
		return refusef("'%s' is not quire's, and '%s' was there before it: remove one of them", h.Path(), h.saved())
	case at.kind == foreign:
		err = remove(h.saved()) // half installed
	case before.kind == foreign:
		err = os.Rename(h.saved(), h.Path())
	default:
		err = remove(h.Path())
	}
	if err == nil {
		err = errors.Join(remove(h.staged()), h.unlink())
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // no directory of hooks
	}
	return errors.Join(err, syncPath(h.dir))
}

// unlink removes the link by which the chained hook was run, and its directory, unless
// the hook put something into that.
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
