package git

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"quire/lib/text"
)

// An Error is a git that failed.
type Error struct {
	Command string // such as "diff-tree"
	Code    int    // its exit status; -1 if it could not run or was killed
	Message string // its stderr on one line, or how it ended
	Cause   error  // from the operating system or the context; may be nil
}

func (e *Error) Error() string { return "git " + e.Command + ": " + e.Message }
func (e *Error) Unwrap() error { return e.Cause }

// command returns `git ARGS...` on the repository. The caller starts it. The settings turn
// off features that run programs other than git.
func (r *Repo) command(ctx context.Context, args ...string) *exec.Cmd {
	all := append([]string{
		"-c", "core.hooksPath=/dev/null",
		"-c", "core.fsmonitor=false",
	}, args...)
	cmd := exec.CommandContext(ctx, "git", all...)
	cmd.WaitDelay = time.Second // for processes that git left behind with its stderr
	cmd.Dir = r.dir
	cmd.Env = r.env[:len(r.env):len(r.env)]
	return cmd
}

// output runs `git ARGS...` and returns its output. The error is an *Error.
func (r *Repo) output(ctx context.Context, args ...string) ([]byte, error) {
	return runGit(ctx, r.command(ctx, args...), args[0])
}

// runGit runs cmd, which is `git NAME ...`, to its end and returns its output. The error is
// an *Error.
func runGit(ctx context.Context, cmd *exec.Cmd, name string) ([]byte, error) {
	var out bytes.Buffer
	stderr := &tail{}
	cmd.Stdout, cmd.Stderr = &out, stderr
	if cmd.SysProcAttr != nil {
		// Pdeathsig depends on the thread that forks, which Go could end before the
		// process.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	if err := cmd.Run(); err != nil {
		return nil, failure(ctx, name, err, stderr)
	}
	return out.Bytes(), nil
}

// failure returns the *Error for a git that ended with err.
func failure(ctx context.Context, name string, err error, stderr *tail) error {
	e := &Error{Command: name, Code: -1, Message: stderr.line()}
	exit, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case ctx.Err() != nil:
		e.Message, e.Cause = ctx.Err().Error(), ctx.Err()
	case !exited:
		e.Message, e.Cause = err.Error(), err
	default:
		e.Code = exit.ExitCode()
		if e.Message == "" {
			e.Message = exit.String()
		}
	}
	return e
}

// tail keeps the end of git's stderr, which has the fatal line.
type tail struct{ text []byte }

const (
	tailSize    = 8 << 10
	messageSize = 600 // bytes of an error's one line
)

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if extra := len(t.text) - tailSize; extra > 0 {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(p), nil
}

// line returns git's messages as one safe line, without prefixes and hints.
func (t *tail) line() string {
	all := string(t.text)
	if strings.Contains(all, "dubious ownership") {
		return "the repository belongs to another user: name it in safe.directory, see git-config(1)"
	}
	var parts []string
	for l := range strings.Lines(all) {
		l = strings.TrimSpace(l)
		if l == "" || strings.HasPrefix(l, "hint:") {
			continue
		}
		for _, prefix := range []string{"fatal: ", "error: ", "warning: ", "remote: "} {
			l = strings.TrimPrefix(l, prefix)
		}
		parts = append(parts, l)
	}
	return text.Line(text.Cut(strings.Join(parts, "; "), messageSize))
}

// quoted quotes a name from a repository for an error.
func quoted(name string) string { return "'" + text.Line(text.Cut(name, messageSize)) + "'" }
