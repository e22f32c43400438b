package drive

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"quire/lib/executor"
	"quire/lib/git"
	"quire/lib/runstore"
)

// A Launch is a program to turn into, by execve(2): `quire-ci run` of a recorded
// run, behind the configured launcher.
type Launch struct {
	Args  []string   // the program and its arguments
	Files []*os.File // to be inherited under the numbers they have

	Warnings []string // of secrets that are not safe
}

// NewLaunch returns what `quire-ci launch` turns into for run, whose workspace
// is there already. The facts of the push and the values of the secrets are in
// files without a name, which Args refer to as /dev/fd/N: so they are neither in
// the arguments nor in the environment, where others could read them, and
// quire-ci needs to see neither the root nor the repository. An error leaves
// nothing open.
func NewLaunch(ctx context.Context, store *runstore.Store, run *runstore.Run) (*Launch, error) {
	p, err := newPlan(ctx, store.Root(), run)
	if err != nil {
		return nil, err
	}
	repo, err := git.Open(run.GitDir)
	if err != nil {
		return nil, err
	}
	spec, err := p.spec(ctx, store, repo) // without a timeout, which quire-runstate exec has
	if err != nil {
		return nil, err
	}
	// Behind the link there may be at its place: the jobs are told where they are.
	dir, err := filepath.EvalSymlinks(filepath.Join(run.Dir, runstore.WorkspaceDir))
	if err != nil {
		return nil, fmt.Errorf("cannot find workspace of run %s: %w", run.ID, err)
	}
	l := &Launch{Args: slices.Clone(p.settings.Launcher), Warnings: p.warnings}
	l.Args = append(l.Args, "quire-ci", "run",
		"--workspace", dir, "--out", run.Dir)
	if p.settings.Jobs > 0 {
		l.Args = append(l.Args, "-j", strconv.Itoa(p.settings.Jobs))
	}
	var text bytes.Buffer
	if err := executor.WriteSpec(&text, spec); err != nil {
		return nil, err
	}
	if err := l.attach("--facts", text.Bytes()); err != nil {
		return nil, err
	}
	text.Reset()
	err = executor.WriteSecrets(&text, p.secrets)
	if err == nil {
		err = l.attach("--secrets", text.Bytes())
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// Close closes the files. A process that turned into the program never does.
func (l *Launch) Close() {
	for _, f := range l.Files {
		f.Close()
	}
}

// attach makes text a file without a name, in memory, that stays open across
// execve, and adds it to the arguments under option.
func (l *Launch) attach(option string, text []byte) error {
	fd, err := unix.MemfdCreate("quire"+option, 0)
	if err != nil {
		return fmt.Errorf("cannot make file for %s: %w", option, err)
	}
	f := os.NewFile(uintptr(fd), option)
	l.Files = append(l.Files, f)
	if _, err := f.WriteAt(text, 0); err != nil {
		return fmt.Errorf("cannot write file for %s: %w", option, err)
	}
	l.Args = append(l.Args, option, fmt.Sprintf("/dev/fd/%d", fd))
	return nil
}
