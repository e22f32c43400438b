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

// The file descriptors of the facts and the secrets for a program behind a launcher. The
// next one, 5, is for the launcher: it has the result of SeccompFilter.
const (
	factsFD = 3 + iota
	secretsFD
)

// A Launch is the `quire-ci run` of a recorded run, either for execve(2) or for the
// configured launcher.
type Launch struct {
	Args     []string // the launcher with its arguments, then quire-ci with its own
	Env      []string
	Launched bool     // there is a launcher: call Run instead of execve(2)
	Warnings []string // see Plan

	run   *runstore.Run
	out   string
	files []*os.File // the facts and the secrets
}

// NewLaunch returns the Launch of run, whose workspace exists. The facts of the push and the
// values of the secrets are in nameless files, which Args name as /dev/fd/N. So they are
// neither in the arguments nor in the environment, where other users could read them, and
// quire-ci needs no access to the root or the repository. On error it closes the files.
func NewLaunch(ctx context.Context, run *runstore.Run, p *Plan) (*Launch, error) {
	if p.Unread != "" {
		return nil, &FactsError{p.Unread}
	}
	// The workspace may be a symbolic link. Jobs get its real path.
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
	if err := p.copyArtifacts(ctx, l.out); err != nil {
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

// Close closes the files. A process must not call it before execve(2).
func (l *Launch) Close() {
	for _, f := range l.files {
		f.Close()
	}
}

// prepare creates the out directory for a run with a launcher, and sets variables that name
// the directories. Jobs can write to the out directory, but not to the directory of the run,
// which gets links to the events and the logs because readers look for them there.
func (l *Launch) prepare(ctx context.Context, dir string, p *Plan) error {
	image, err := imageOf(ctx, l.run, dir, p)
	if err != nil {
		return err
	}
	parent, err := filepath.EvalSymlinks(l.run.Dir) // a sandbox may lack the link
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

// imageOf returns the image that the pipeline of run names, "" for none. The trigger records
// it when it compiles the pipeline. If it did not, imageOf evaluates the pipeline in dir.
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

// environ returns the environment of this process without the plan and without the variables
// that git sets for its hooks.
func environ() []string {
	return slices.DeleteFunc(git.CleanEnv(os.Environ()), func(s string) bool { return strings.HasPrefix(s, planVariable+"=") })
}

// attach writes the facts and the secrets to files that the program inherits, and adds their
// paths to the arguments. A launcher also gets a system call filter.
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

// attachFile adds a file with text to the files of the program, and option with its path to
// the arguments. A child has the file as descriptor number. For execve(2), the descriptor of
// this process counts.
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

// addFile adds a nameless file with text to the files of the program. A child gets them in
// this order, as descriptors from 3 on.
func (l *Launch) addFile(name string, text []byte) (*os.File, error) {
	f, err := file.Nameless("quire"+name, text)
	if err != nil {
		return nil, fmt.Errorf("cannot make file for %s: %w", name, err)
	}
	l.files = append(l.files, f)
	return f, nil
}
