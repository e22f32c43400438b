package doctor

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"quire/lib/cli"
	"quire/lib/git"
	"quire/lib/text"
)

// git looks for a git that is new enough.
func (x *exam) git(ctx context.Context) {
	const mend = "# install git " + git.Oldest + " or newer"
	switch version, err := git.Version(ctx); {
	case err != nil:
		x.wrong("git", mend, "cannot be run: %v", err)
	case git.Older(version, git.Oldest):
		x.wrong("git", mend, "is version '%s'", version)
	default:
		x.ok("git")
	}
}

// commands looks for those that the hook and quire-dispatch start by their names, which
// must be of this version.
func (x *exam) commands(ctx context.Context) {
	mend := "# remove it, or put " + text.QuoteLine(filepath.Dir(x.Program)) + " before it in PATH"
	for _, name := range []string{"quire-trigger", "quire-dispatch", "quire-materialize", "quire-ci", "quire-runstate"} {
		path, err := x.lookPath(name)
		if err != nil {
			x.wrong(name, "# install quire anew, into a directory of PATH", "cannot be found: %v", err)
			continue
		}
		want := name + " " + cli.Version
		if name == "quire-dispatch" { // a script, which has none: where it is counts
			if !sameDir(path, x.Program) {
				x.wrong(path, mend, "is not that of '%s'", filepath.Dir(x.Program))
				continue
			}
		} else if got := versionOf(ctx, path); got != want {
			x.wrong(path, mend, "is '%s', and this is '%s'", got, want)
			continue
		}
		x.ok(path)
	}
}

// sameDir reports whether two files are in one directory.
func sameDir(a, b string) bool {
	x, errX := os.Stat(filepath.Dir(a))
	y, errY := os.Stat(filepath.Dir(b))
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// versionOf returns the line that a command prints of itself, or why it does not.
func versionOf(ctx context.Context, path string) string {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return err.Error()
	}
	const enough = 80
	return strings.TrimSpace(string(out[:min(len(out), enough)]))
}
