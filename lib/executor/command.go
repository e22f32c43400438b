package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"quire/lib/process"
	"quire/lib/runlog"
)

// maxCapture is how much of each output of a command sh returns, in bytes.
const maxCapture = 16 << 20

// A command is one call of sh.
type command struct {
	n       int      // counted from 1 in the job
	argv    []string // as it is run
	text    string   // as it is shown, not redacted
	shell   bool     // argv is sh -c and text
	dir     string   // absolute
	cwd     string   // relative to the workspace, "" for that
	env     []string
	stdin   string
	timeout time.Duration // 0: none
	check   bool          // a failure that nobody looks at fails the job
	place   place         // of the call

	started bool
	code    int    // as a shell has it
	signal  string // "KILL", where one ended it
	reason  string // timeout or cancelled, where quire ended it
	looked  bool   // the pipeline has read the exit status
	stdout  string
	stderr  string

	truncated bool // stdout or stderr is not all
}

// errCommandTimeout is why a command is ended that takes longer than its timeout.
var errCommandTimeout = errors.New("timeout of the command")

// exitTimeout is the status of a command that was ended for its timeout, whatever
// it made of the signal; timeout(1) has the same.
const exitTimeout = 124

// failed reports whether the command has to be looked at.
func (c *command) failed() bool { return c.code != 0 }

// describe returns how the command ended, for a message.
func (c *command) describe() string {
	switch {
	case c.reason == reasonTimeout && c.code == exitTimeout:
		return fmt.Sprintf("ran longer than %s", c.timeout)
	case !c.started:
		return fmt.Sprintf("could not be started (exit %d)", c.code)
	case c.signal != "":
		return fmt.Sprintf("was ended by signal %s (exit %d)", c.signal, c.code)
	}
	return fmt.Sprintf("failed with exit %d", c.code)
}

// A liveCommand is a command that runs, or what it left running, and where its output goes.
type liveCommand struct {
	*command
	group    *process.Group
	log      *runlog.Log
	streams  []*stream
	captures [2]capture // of standard output and standard error
}

// start starts c, whose output goes to sinks by the names of its streams. What
// cannot be started has its status, and the reason on its standard error.
func (c *command) start(log *runlog.Log, out func(name string) (sink func([]byte), flush func())) (*liveCommand, error) {
	r := &liveCommand{command: c, log: log}
	cmd := &exec.Cmd{Args: c.argv, Dir: c.dir, Env: c.env}
	var theirs []io.Closer // the ends of pipes that belong to the command
	defer func() {
		for _, f := range theirs {
			f.Close()
		}
	}()
	for i, name := range []string{"stdout", "stderr"} {
		keep := &r.captures[i]
		keep.max = maxCapture
		sink, flush := out(name)
		s, w, err := newStream(func(p []byte) { keep.add(p); sink(p) }, flush)
		if err != nil {
			r.abandon()
			return nil, err
		}
		theirs = append(theirs, w)
		r.streams = append(r.streams, s)
		if cmd.Stdout == nil {
			cmd.Stdout = w
		} else {
			cmd.Stderr = w
		}
	}
	feed, err := c.input(cmd)
	if err != nil {
		r.abandon()
		return nil, err
	}
	if in, ok := cmd.Stdin.(io.Closer); ok {
		theirs = append(theirs, in)
	}
	if err := r.exec(cmd); err != nil {
		c.code = process.StartCode(err)
		fmt.Fprintf(cmd.Stderr, "quire: cannot run '%s': %s\n", c.argv[0], startError(err))
	} else {
		c.started = true
	}
	for _, s := range r.streams {
		go s.copy()
	}
	feed()
	return r, nil
}

// abandon closes the streams that nothing will be read from.
func (r *liveCommand) abandon() {
	for _, s := range r.streams {
		s.r.Close()
	}
}

func (r *liveCommand) exec(cmd *exec.Cmd) (err error) {
	if cmd.Path, err = lookPath(r.argv[0], newEnviron(r.env)["PATH"], r.dir); err != nil {
		return err
	}
	r.group, err = process.Start(cmd)
	return err
}

// startError returns what err says without the names that the message has already.
func startError(err error) string {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return "command not found"
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return err.Error()
}

// input gives cmd its standard input, and returns what starts to fill it. Without
// any, it is empty: a job has nobody to ask.
func (c *command) input(cmd *exec.Cmd) (feed func(), err error) {
	if c.stdin == "" {
		null, err := os.Open(os.DevNull)
		cmd.Stdin = null
		return func() {}, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdin = r
	return func() {
		go func() {
			io.WriteString(w, c.stdin) // a command need not read it all
			w.Close()
		}()
	}, nil
}

// wait returns when the command itself has ended; what it left in the background
// goes on. Where ctx ends first, the command is ended and with it its session.
func (r *liveCommand) wait(ctx context.Context, grace time.Duration) error {
	if r.group == nil {
		r.settle()
		return nil
	}
	if r.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.timeout, errCommandTimeout)
		defer cancel()
	}
	select {
	case <-r.group.Done():
	case <-ctx.Done():
		r.reason = endReason(context.Cause(ctx))
		if err := r.group.End(grace); err != nil {
			return err
		}
	}
	r.settle()
	status, err := r.group.Wait()
	if err != nil {
		return err
	}
	r.code = status.ExitCode()
	if status.Signal != 0 {
		r.signal = strings.TrimPrefix(unix.SignalName(status.Signal), "SIG")
	}
	if context.Cause(ctx) == errCommandTimeout && r.reason != "" {
		r.code = exitTimeout
	}
	return nil
}

// settle takes in what the command has printed.
func (r *liveCommand) settle() {
	for _, s := range r.streams {
		s.settle(false)
	}
	var cut, cutToo bool
	r.stdout, cut = r.captures[0].take()
	r.stderr, cutToo = r.captures[1].take()
	r.truncated = cut || cutToo
}

// left reports whether processes of the command's group are still there.
func (r *liveCommand) left() bool {
	return r.group != nil && unix.Kill(-r.group.Pid(), 0) == nil
}

// finish ends what the command left behind, and its log.
func (r *liveCommand) finish(grace time.Duration) error {
	var err error
	if r.left() {
		err = r.group.End(grace)
	}
	for _, s := range r.streams {
		s.settle(true)
		<-s.ended
	}
	return errors.Join(err, r.log.Close())
}

// logFile returns the path of the command's log in the directory out.
func logFile(out, job string, n int) string {
	return filepath.Join(out, filepath.FromSlash(runlog.LogPath(job, n)))
}
