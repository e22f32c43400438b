// Package doctor checks everything that quire depends on, and reports problems and their
// repair. It changes nothing, except that it makes and removes a directory in the root to
// test the file system.
package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"quire/lib/config"
	"quire/lib/notify"
	"quire/lib/owner"
	"quire/lib/runstore"
	"quire/lib/text"
)

// A Finding is the result of one check.
type Finding struct {
	Subject string // a path, or the name of a program
	Wrong   string // the problem, or "" if all is well
	Repair  string // the repair: shell commands, or a comment for people, after "#"
}

// An Installation is what Examine checks.
type Installation struct {
	Root    string
	GitDirs []string // empty: the repositories of the root
	Program string   // the running quire-runstate
	Path    string   // the PATH of the programs
}

// Examine checks everything, and returns all findings, good and bad. Checks that depend on
// something missing are skipped.
func Examine(ctx context.Context, i Installation) []Finding {
	x := &exam{Installation: i}
	if abs, err := filepath.Abs(x.Root); err == nil {
		x.Root = abs
	}
	x.git(ctx)
	x.commands(ctx)
	if x.root() {
		x.cfg, x.unread = config.Load(ctx, x.Root)
		x.space()
		x.fileSystem(ctx)
		x.store()
		h := x.readHistory()
		x.reconciled(h)
		x.paused()
		repos := x.repositories(ctx, h)
		x.config(ctx, repos, h)
		x.programs(notify.OnStartDir, "start")
		x.programs(runstore.OnEndDir, "end")
		x.mail(repos)
	}
	return x.findings
}

// An exam is one call of Examine.
type exam struct {
	Installation
	cfg      *config.Config  // nil if it cannot be read
	unread   error           // why it cannot be read
	records  *runstore.Store // nil if the root has had no run, or the records cannot be opened
	findings []Finding
}

// ok records that a subject is in order.
func (x *exam) ok(subject string) { x.findings = append(x.findings, Finding{Subject: subject}) }

// wrong records a problem.
func (x *exam) wrong(subject, repair, format string, args ...any) {
	x.findings = append(x.findings, Finding{subject, fmt.Sprintf(format, args...), repair})
}

// ours checks that a file or directory, if it exists, belongs to this user and is readable
// and writable.
func (x *exam) ours(path string) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		x.wrong(path, "# give this user access to it", "is not accessible: %v", text.Cause(err))
		return
	}
	need := fs.FileMode(0o600)
	if info.IsDir() {
		need = 0o700
	}
	uid := owner.Of(info)
	switch {
	case uid != os.Geteuid():
		x.wrong(path, "# chown -R "+text.QuoteLine(thisUser(), path), "belongs to user '%s', but '%s' makes the runs", owner.Name(uid), thisUser())
	case info.Mode()&need != need:
		x.wrong(path, "chmod u+rwX "+text.QuoteLine(path), "is not writable by its owner: mode %04o", info.Mode().Perm())
	default:
		x.ok(path)
	}
}

// thisUser returns the name of the user of this process.
func thisUser() string { return owner.Name(os.Geteuid()) }

// lookPath returns the program that the hook starts for a name: the hook's PATH ends with
// the directory of this quire.
func (x *exam) lookPath(name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, executable(name)
	}
	found := error(unix.ENOENT)
	dirs := append(filepath.SplitList(x.Path), filepath.Dir(x.Program))
	for _, dir := range slices.Compact(dirs) {
		path := filepath.Join(cmp.Or(dir, "."), name)
		if err := executable(path); err == nil {
			return path, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			found = err
		}
	}
	return "", found
}

func executable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return text.Cause(err)
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a file")
	}
	return unix.Faccessat(unix.AT_FDCWD, path, unix.X_OK, unix.AT_EACCESS)
}
