package doctor

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"quire/lib/cli"
	"quire/lib/git"
	"quire/lib/text"
)

// git checks that git can be run and is new enough.
func (x *exam) git(ctx context.Context) {
	const repair = "# install git " + git.OldestVersion + " or newer"
	switch version, err := git.Version(ctx); {
	case err != nil:
		x.wrong("git", repair, "cannot be run: %v", err)
	case git.Older(version, git.OldestVersion):
		x.wrong("git", repair, "is version '%s'", version)
	default:
		x.ok("git")
	}
}

// commands checks the commands that the hook and quire-dispatch start by name. They must be
// of this version.
func (x *exam) commands(ctx context.Context) {
	repair := "# remove it, or put " + text.QuoteLine(filepath.Dir(x.Program)) + " before it in PATH"
	for _, name := range cli.Programs {
		path, err := x.lookPath(name)
		want := name + " " + cli.Version
		if err != nil {
			x.wrong(name, "# install quire again, into a directory of PATH", "cannot be found: %v", err)
		} else if got := versionOf(ctx, path); got != want {
			x.wrong(path, repair, "is '%s', but this is '%s'", got, want)
		} else {
			x.ok(path)
		}
	}
}

// versionOf returns the output of a command for --version, or why it failed.
func versionOf(ctx context.Context, path string) string {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return err.Error()
	}
	const most = 80 // bytes
	return strings.TrimSpace(string(out[:min(len(out), most)]))
}
