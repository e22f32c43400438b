package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"quire/lib/file"
	"quire/lib/process"
	"quire/lib/text"
)

// A program is a file in on-end.d.
type program struct {
	path string
	skip string // why it is not run, or ""
}

// find returns the files in dir, sorted by name. Like run-parts(8), it runs only executable
// files whose names consist of letters, digits, hyphens and underscores, so that files left
// by editors and package managers are not run. The others have a reason in skip. find
// ignores hidden files and directories.
func find(dir string) ([]program, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var programs []program
	for _, e := range entries {
		p := program{path: filepath.Join(dir, e.Name())}
		info, err := os.Stat(p.path)
		switch {
		case strings.HasPrefix(e.Name(), "."), err == nil && info.IsDir():
			continue
		case strings.ContainsFunc(e.Name(), special):
			p.skip = "its name has characters other than letters, digits, '-' and '_'"
		case errors.Is(err, fs.ErrNotExist):
			p.skip = "it is a dangling symbolic link"
		case err != nil:
			p.skip = text.Cause(err).Error()
		case unix.Access(p.path, unix.X_OK) != nil || !info.Mode().IsRegular():
			p.skip = "it is not executable"
		}
		programs = append(programs, p)
	}
	return programs, nil
}

func special(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_':
		return false
	}
	return true
}

// errTimeout says that a program took too long.
var errTimeout = errors.New("it took too long")

// run runs the program to its end, and returns an error if it failed. Its standard input is
// record, which it need not read. The output of the program and its children goes to log.
// None of its processes is left afterwards.
func (p program) run(ctx context.Context, o Options, dir string, env []string, record []byte, log *programLog) error {
	if p.skip != "" {
		log.note("%s: not run: %s", p.name(), p.skip)
		return nil
	}
	log.note("%s", p.name())
	err := p.start(ctx, o, dir, env, record, log)
	if err != nil {
		log.note("%s: %v", p.name(), err)
	} else {
		log.note("%s: exit 0", p.name())
	}
	return err
}

func (p program) name() string {
	return filepath.Join(filepath.Base(filepath.Dir(p.path)), filepath.Base(p.path))
}

func (p program) start(ctx context.Context, o Options, dir string, env []string, record []byte, log *programLog) error {
	stdin, err := file.Nameless("record", record)
	if err != nil {
		return err
	}
	defer stdin.Close()
	output, stdout, err := os.Pipe()
	if err != nil {
		return err
	}
	defer output.Close()
	cmd := exec.Command(p.path)
	cmd.Dir, cmd.Env = dir, env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stdout
	group, err := process.Start(cmd)
	stdout.Close()
	if err != nil {
		return fmt.Errorf("cannot be started: %w", text.Cause(err))
	}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(log, output)
	}()
	status, err := o.await(ctx, group)
	<-copied
	if err == nil && status != (process.Status{}) {
		err = fmt.Errorf("%s", status)
	}
	return err
}

// await waits until the program has exited, ends it after the timeout or if ctx ends, and
// ends all processes that it left behind.
func (o Options) await(ctx context.Context, group *process.Group) (process.Status, error) {
	timeout := time.NewTimer(o.Timeout)
	defer timeout.Stop()
	select {
	case <-group.Done():
		// Wait comes first: if no children remain, EndDescendants need not search /proc.
		status, err := group.Wait()
		return status, errors.Join(err, process.EndDescendants(o.Grace))
	case <-timeout.C:
		return o.end(group, errTimeout)
	case <-ctx.Done():
		return o.end(group, context.Cause(ctx))
	}
}

// end ends a program for a reason, which it returns.
func (o Options) end(group *process.Group, why error) (process.Status, error) {
	ended := process.EndDescendants(o.Grace)
	status, err := group.Wait()
	return status, cmp.Or(errors.Join(ended, err), why)
}
