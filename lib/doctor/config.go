package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"quire/lib/config"
	"quire/lib/diag"
	"quire/lib/git"
	"quire/lib/repos"
	"quire/lib/text"
)

// config checks the configuration, and the secrets and launchers of the repositories.
func (x *exam) config(ctx context.Context, list []*git.Repo, h history) {
	c, err := x.cfg, x.unread
	var problems diag.List
	switch {
	case errors.As(err, &problems):
		for _, d := range problems {
			x.wrong(where(d), "# "+cmp.Or(d.Hint, "see quire.toml(5)"), "%s", d.Message)
		}
		return
	case err != nil:
		x.wrong(x.Root, "# let this user read it", "%v", err)
		return
	}
	for _, d := range c.Warnings {
		x.wrong(where(d), "# see quire.toml(5)", "%s", strings.TrimPrefix(d.Message, "warning: "))
	}
	names := []string{""}
	for _, repo := range list {
		name, _ := repos.Name(repo, x.Root)
		names = append(names, name)
	}
	x.unmatched(c, names, h)
	before := len(x.findings)
	seen := map[string]bool{} // settings that several repositories share are checked once
	for _, name := range names {
		set := c.For(name)
		for _, secret := range slices.Sorted(maps.Keys(set.Secrets)) {
			if s := set.Secrets[secret]; !seen["secret "+secret+s.File] {
				seen["secret "+secret+s.File] = true
				x.secret(secret, s)
			}
		}
		if launcher := fmt.Sprint(set.Executor, set.Launcher); len(set.Launcher) > 0 && !seen[launcher] {
			seen[launcher] = true
			x.launcher(ctx, set)
		}
	}
	if len(x.findings) == before {
		x.ok(x.Root + " (configuration)")
	}
	x.caches(c.For("").MaxCache)
}

// where returns the file of a diagnostic, with the line and column if they are known.
func where(d diag.Diagnostic) string {
	if d.Line == 0 {
		return d.File
	}
	return fmt.Sprintf("%s:%d:%d", d.File, d.Line, d.Column)
}

// unmatched reports tables [repo.NAME] that match no repository: none of names, none of the
// root's, and none that has had a run.
func (x *exam) unmatched(c *config.Config, names []string, h history) {
	all, err := repos.List(x.Root)
	if err != nil {
		return // reported by repositories
	}
	for _, repo := range all {
		name, _ := repos.Name(repo, x.Root)
		names = append(names, name)
	}
	for _, d := range c.Unmatched(append(names, h.names...)) {
		x.wrong(where(d), "# "+d.Hint, "%s", d.Message)
	}
}

// secret checks who can read a secret.
func (x *exam) secret(name string, s config.Secret) {
	paths := []string{s.File}
	if s.File == "" {
		paths = []string{filepath.Join(x.Root, "config.toml"), filepath.Join(x.Root, "config.fnl")}
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && s.File == "":
		case err != nil:
			x.wrong(path, "# put the secret there, or remove it from the configuration", "secret '%s' cannot be read: %v", name, text.Cause(err))
		case !info.Mode().IsRegular():
			x.wrong(path, "# put the secret into a file", "secret '%s' is not in a regular file", name)
		case info.Mode()&0o004 != 0:
			x.wrong(path, "chmod o-r "+text.QuoteLine(path), "secret '%s' is readable by other users", name)
		case !readable(path):
			x.wrong(path, "chmod u+r "+text.QuoteLine(path), "secret '%s' cannot be read by '%s'", name, thisUser())
		}
	}
}

func readable(path string) bool {
	f, err := os.Open(path)
	if err == nil {
		f.Close()
	}
	return err == nil
}

// needs maps launchers of quire to the program that they start, unless it has their name.
// probed are launchers that start the command at once and on this machine, so that doctor
// can try them.
var (
	needs  = map[string]string{"limits": "prlimit"}
	probed = []string{"bwrap", "nice", "prlimit", "limits", "systemd-run"}
)

// launcher checks that a configured launcher can be started.
func (x *exam) launcher(ctx context.Context, set config.Settings) {
	name := set.Launcher[0]
	if set.Executor != "quire-ci" {
		x.wrong(name, `# set executor = "quire-ci", or remove the launcher`, "is the launcher, but the executor is '%s', which uses none", set.Executor)
		return
	}
	path, err := x.lookPath(name)
	if err != nil {
		x.wrong(name, "# install it, or name another launcher", "the launcher cannot be started: %v", err)
		return
	}
	base := filepath.Base(name)
	probe := slices.Contains(probed, base)
	if filepath.Dir(path) == filepath.Join(x.Program, "../../share/quire/launchers") {
		program := cmp.Or(needs[base], base)
		found, err := x.lookPath(program)
		if err != nil {
			x.wrong(name, "# install "+program, "the launcher needs '%s': %v", program, err)
			return
		}
		if base == "podman" {
			if probe, err = tryPodman(ctx, found, set.Launcher[1:]); err != nil {
				x.wrong(name, "# see podman(1)", "the launcher does not work: %v", err)
				return
			}
		}
	}
	if probe {
		if err := x.probe(ctx, path, set.Launcher[1:]); err != nil {
			x.wrong(name, "# see quire-launcher(7)", "the launcher does not work: %v", err)
			return
		}
	}
	x.ok(name)
}

// tryPodman returns an error if podman does not work for this user. hasImage reports whether
// podman has the image in the launcher's options, so that a container can be made without
// fetching an image.
func tryPodman(ctx context.Context, program string, options []string) (hasImage bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, "info", "--format", "{{.Host.OS}}").CombinedOutput()
	if err != nil {
		return false, fmt.Errorf("podman info: %w: %.300s", err, strings.TrimSpace(string(out)))
	}
	i := slices.Index(options, "--image")
	if i < 0 || i+1 == len(options) {
		return false, nil
	}
	return exec.CommandContext(ctx, program, "image", "exists", options[i+1]).Run() == nil, nil
}

// probe makes a launcher start quire-ci, as quire-launcher(7) describes.
func (x *exam) probe(ctx context.Context, path string, options []string) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	dir, err := os.MkdirTemp(x.Root, tryName)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cmd := exec.CommandContext(ctx, path, append(slices.Clone(options), "quire-ci", "--version")...)
	cmd.WaitDelay = time.Second
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+x.Path+":"+filepath.Dir(x.Program), "QUIRE_ROOT="+x.Root, "QUIRE_GIT_DIR="+dir,
		"QUIRE_RUN=doctor", "QUIRE_RUN_DIR="+dir, "QUIRE_REPO=doctor", "QUIRE_REF=refs/heads/doctor", "QUIRE_IMAGE=",
		"QUIRE_SHA="+strings.Repeat("0", 40))
	for _, name := range []string{"workspace", "out"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			return err
		}
		cmd.Env = append(cmd.Env, "QUIRE_"+strings.ToUpper(name)+"="+filepath.Join(dir, name))
	}
	out, err := cmd.CombinedOutput()
	if err == nil && !strings.HasPrefix(string(out), "quire-ci ") {
		err = errors.New("it did not start quire-ci")
	}
	if err != nil {
		return fmt.Errorf("%w: %.300s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
