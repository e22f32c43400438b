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
)

// Install makes quire's hook the one that git runs, chains the one that is there, and
// has git accept push options. One rename(2) makes it live; what is before that can
// be seen by nobody, and is completed by the next Install where it was interrupted.
// Where all of this is so it does nothing. What it must not touch is a *Refusal.
//
// The caller sees to it that nobody else installs or uninstalls meanwhile.
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
			return refusef("%s, and serves other repositories too: link '%s' there by hand, or set core.hooksPath in this repository", h.shared, h.own)
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
	text := scriptFor(h.own)
	if at.kind == script && at.text == text && at.executable {
		return nil
	}
	if err := h.stage(text); err != nil {
		return err
	}
	if at.kind == foreign {
		err = h.exchange()
	} else {
		err = os.Rename(h.staged(), h.Path())
	}
	return errors.Join(err, syncPath(h.dir))
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

// stage writes the script where git does not look.
func (h *Hook) stage(text string) error {
	if err := remove(h.staged()); err != nil {
		return err
	}
	f, err := os.OpenFile(h.staged(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Chmod(0o755) // whatever the umask: anyone who pushes must be able to run it
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// exchange puts the script and the hook that is there in each other's places, so that
// there is always the one or the other, and the other is never lost.
func (h *Hook) exchange() error {
	if err := os.Rename(h.staged(), h.saved()); err != nil {
		return err
	}
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
