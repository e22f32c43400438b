// Package doctor looks at all that quire stands on, and says what is wrong with it and
// how to mend that. It changes nothing but a directory of its own in the root, in which
// it tries the file system, and removes again.
package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"quire/lib/text"
)

// A Finding is one thing that was looked at.
type Finding struct {
	Subject string // a path, or the name of a program
	Wrong   string // what is wrong with it; "" if nothing is
	Mend    string // what mends it: shell commands, or a comment for people, behind "#"
}

// A Patient is what to look at.
type Patient struct {
	Root    string
	GitDirs []string // none: the repositories of the root
	Program string   // the running quire-runstate
	Path    string   // where programs are looked for
}

// Examine looks at everything, and returns what it found, also what is in order. What
// stands on something that is not there is not looked at.
func Examine(ctx context.Context, p Patient) []Finding {
	x := &exam{Patient: p}
	if abs, err := filepath.Abs(x.Root); err == nil {
		x.Root = abs
	}
	x.git(ctx)
	x.commands(ctx)
	if x.root() {
		x.space()
		x.fileSystem(ctx)
		x.store()
		h := x.readHistory()
		x.reconciled(h)
		repos := x.repositories(ctx, h)
		x.config(ctx, repos, h)
		x.onEnd()
		x.mail(repos)
	}
	return x.findings
}

type exam struct {
	Patient
	findings []Finding
}

// ok notes that nothing is wrong with a subject.
func (x *exam) ok(subject string) { x.findings = append(x.findings, Finding{Subject: subject}) }

// wrong notes what is.
func (x *exam) wrong(subject, mend, format string, args ...any) {
	x.findings = append(x.findings, Finding{subject, fmt.Sprintf(format, args...), mend})
}

// ours checks that a file or directory that is there is this user's, who can read and
// write it, and reports whether it is there.
func (x *exam) ours(path string) bool {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if err != nil {
		x.wrong(path, "# let this user reach it", "cannot be looked at: %v", text.Cause(err))
		return true
	}
	need := fs.FileMode(0o600)
	if info.IsDir() {
		need = 0o700
	}
	uid := ownerOf(info)
	switch {
	case uid != os.Geteuid():
		x.wrong(path, fmt.Sprintf("# chown -R %s %s", text.QuoteLine(userName(os.Geteuid())), text.QuoteLine(path)),
			"belongs to user '%s', and runs are made by '%s'", userName(uid), userName(os.Geteuid()))
	case info.Mode()&need != need:
		x.wrong(path, "chmod u+rwX "+text.QuoteLine(path), "cannot be written by its user: mode %04o", info.Mode().Perm())
	default:
		x.ok(path)
	}
	return true
}

func ownerOf(info fs.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return os.Geteuid()
}

func userName(uid int) string {
	name := strconv.Itoa(uid)
	if u, err := user.LookupId(name); err == nil {
		return u.Username
	}
	return name
}

// lookPath returns the program that the hook starts by a name: it has the directory
// of this quire behind the others.
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
