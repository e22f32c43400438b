package drive

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"quire/lib/executor"
	"quire/lib/file"
	"quire/lib/git"
	"quire/lib/pipeline"
	"quire/lib/runlog"
	"quire/lib/runstore"
)

// The descriptors from which a program behind a launcher reads the facts and the secrets
// of its run. The next one, 5, is for the launcher: it has the result of SeccompFilter.
const (
	factsFD = 3 + iota
	secretsFD
)

// A Launch is `quire-ci run` of a recorded run, to be turned into by execve(2), or
// to be run behind the configured launcher.
type Launch struct {
	Args     []string // the program and its arguments, the launcher's in front
	Env      []string
	Launched bool     // there is a launcher: Run it, and turn into nothing
	Warnings []string // of secrets that are not safe

	run   *runstore.Run
	out   string
	files []*os.File // the facts and the secrets
}

// NewLaunch returns what `quire-ci launch` turns into or runs for run, whose workspace
// exists. The facts of the push and the values of the secrets are in nameless files, which
// Args refer to as /dev/fd/N. So they are neither in the arguments nor in the environment,
// where others could read them, and quire-ci need not see the root or the repository. On
// error nothing is left open.
func NewLaunch(ctx context.Context, run *runstore.Run, p *Plan) (*Launch, error) {
	if p.Unread != "" {
		return nil, &FactsError{p.Unread}
	}
	// The workspace may be behind a link, and the jobs get its real path.
	dir, err := filepath.EvalSymlinks(filepath.Join(run.Dir, runstore.WorkspaceDir))
	if err != nil {
		return nil, fmt.Errorf("cannot find workspace of run %s: %w", run.ID, err)
	}
	l := &Launch{
		Args: slices.Clone(p.Settings.Launcher), Env: environ(), Launched: len(p.Settings.Launcher) > 0,
		Warnings: p.Warnings, run: run, out: run.Dir,
	}
	if l.Launched {
		if err := l.prepare(ctx, dir, p); err != nil {
			return nil, err
		}
	}
	if err := p.bringArtifacts(ctx, l.out); err != nil {
		return nil, err
	}
	l.Args = append(l.Args, "quire-ci", "run", "--workspace", dir, "--out", l.out)
	if p.Cache != "" {
		l.Args = append(l.Args, "--cache", p.Cache)
	}
	if p.Settings.Jobs > 0 {
		l.Args = append(l.Args, "-j", strconv.Itoa(p.Settings.Jobs))
	}
	if err := l.attach(p.spec(), p.Secrets); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// Close closes the files. A process that turned into the program never does.
func (l *Launch) Close() {
	for _, f := range l.files {
		f.Close()
	}
}

// prepare makes the directory for the records of the jobs, beside those of the run, which
// jobs must not touch, and an environment that names the directories. Links in the
// directory of the run lead to the events and the logs, where readers look for them. Only a
// run with a launcher needs this.
func (l *Launch) prepare(ctx context.Context, dir string, p *Plan) error {
	image, err := imageOf(ctx, l.run, dir, p)
	if err != nil {
		return err
	}
	parent, err := filepath.EvalSymlinks(l.run.Dir) // a sandbox may have no such link
	if err != nil {
		return fmt.Errorf("cannot find run %s: %w", l.run.ID, err)
	}
	l.out = filepath.Join(parent, runlog.OutDir)
	err = os.Mkdir(l.out, 0o700)
	for _, name := range []string{runlog.EventsFile, runlog.JobsDir} {
		if err == nil {
			err = os.Symlink(filepath.Join(runlog.OutDir, name), filepath.Join(parent, name))
		}
	}
	if err != nil {
		return fmt.Errorf("cannot prepare run %s: %w", l.run.ID, err)
	}
	ours := func(s string) bool { return strings.HasPrefix(s, "QUIRE_") }
	l.Env = slices.Concat(slices.DeleteFunc(l.Env, ours), l.run.Environ(), []string{
		"QUIRE_WORKSPACE=" + dir,
		"QUIRE_OUT=" + l.out,
		"QUIRE_IMAGE=" + image,
	})
	if p.Cache != "" {
		l.Env = append(l.Env, "QUIRE_CACHE="+p.Cache)
	}
	return nil
}

// imageOf returns the image that the pipeline of run names, "" if it names none. The
// trigger wrote it into the record when it compiled the pipeline. If it did not come to
// that, the pipeline in dir is evaluated for it.
func imageOf(ctx context.Context, run *runstore.Run, dir string, p *Plan) (string, error) {
	if run.Image != nil {
		return *run.Image, nil
	}
	tree, err := file.OpenTree(dir)
	if err != nil {
		return "", err
	}
	defer tree.Close()
	loaded, err := pipeline.Load(ctx, tree, pipeline.Options{Limits: p.Settings.Limits()})
	if err != nil {
		return "", err
	}
	defer loaded.Close()
	_ = run.AddFacts(runstore.Facts{Image: &loaded.Image}) // only show needs it
	return loaded.Image, nil
}

// environ returns the environment of this process without the plan and what git set for its
// hook, which end here.
func environ() []string {
	return slices.DeleteFunc(git.CleanEnv(os.Environ()), func(s string) bool { return strings.HasPrefix(s, PlanVariable+"=") })
}

// attach writes the facts and the secrets into files, and adds them to the arguments
// under the numbers they are inherited by. A launcher also gets a system call filter.
func (l *Launch) attach(spec executor.Spec, secrets map[string]string) error {
	var text bytes.Buffer
	if err := executor.WriteSpec(&text, spec); err != nil {
		return err
	}
	if err := l.attachFile("--facts", factsFD, text.Bytes()); err != nil {
		return err
	}
	text.Reset()
	if err := executor.WriteSecrets(&text, secrets); err != nil {
		return err
	}
	if err := l.attachFile("--secrets", secretsFD, text.Bytes()); err != nil || !l.Launched {
		return err
	}
	_, err := l.addFile("seccomp", SeccompFilter())
	return err
}

// attachFile adds a file with text, and option with its path, to what the program gets.
// Its number is known beforehand only to a child: in this process others may be in use.
func (l *Launch) attachFile(option string, number int, text []byte) error {
	f, err := l.addFile(option, text)
	if err != nil {
		return err
	}
	if !l.Launched {
		if err := file.Inherit(f); err != nil {
			return fmt.Errorf("cannot make file for %s: %w", option, err)
		}
		number = int(f.Fd())
	}
	l.Args = append(l.Args, option, fmt.Sprintf("/dev/fd/%d", number))
	return nil
}

// addFile adds a nameless file with text to what the program gets. A child gets the files
// in their order, as descriptors from 3 on.
func (l *Launch) addFile(name string, text []byte) (*os.File, error) {
	f, err := file.Nameless("quire"+name, text)
	if err != nil {
		return nil, fmt.Errorf("cannot make file for %s: %w", name, err)
	}
	l.files = append(l.files, f)
	return f, nil
}
