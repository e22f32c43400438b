package executor

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"quire/lib/process"
	"quire/lib/runlog"
)

// A command is one call of sh.
type command struct {
	n        int      // counted from 1 in the job
	argv     []string // the words to execute
	text     string   // in the syntax of a shell
	redacted string   // text without secrets, for people
	shell    bool     // a shell runs text
	ownShell []string // the value of the option shell; nil: the shell of the run
	dir      string   // absolute
	cwd      string   // relative to the workspace; "": the workspace itself
	env      []string
	cgroup   *process.Cgroup
	stdin    string
	timeout  time.Duration // 0: none
	check    bool          // if it fails and the pipeline does not read its status, the job fails
	position position      // of the call

	started bool
	refused string // why it could not be started
	code    int    // as a shell reports it
	signal  string // "KILL", if a signal ended it
	reason  string // timeout or cancelled, if quire ended it
	checked bool   // the pipeline has read the exit status
	stdout  string
	stderr  string

	truncated bool // stdout or stderr is incomplete
}

// errCommandTimeout is the cause if a command exceeds its own timeout.
var errCommandTimeout error = &endError{reasonTimeout, "timeout of the command"}

// exitTimeout is the status of a command that exceeded its timeout, even if it handled the
// signal and exited with another status. timeout(1) uses the same number.
const exitTimeout = 124

// exitNotFound is the status if a command was not found. A shell also exits with it if it
// did not find its last command.
const exitNotFound = 127

// failed reports whether the exit status is not 0.
func (c *command) failed() bool { return c.code != 0 }

// endedWithJob reports whether quire ended the command because it ended the job, rather than
// for the command's own timeout.
func (c *command) endedWithJob() bool { return c.reason != "" && c.code != exitTimeout }

// describe returns how the command ended, for a message. broken is the result of
// brokenScript.
func (c *command) describe(broken string) string {
	switch {
	case c.reason == reasonTimeout && c.code == exitTimeout:
		return fmt.Sprintf("ran longer than %s", c.timeout)
	case !c.started:
		return fmt.Sprintf("could not be started (exit %d): %s", c.code, c.refused)
	case c.signal != "":
		return fmt.Sprintf("was ended by signal %s (exit %d)%s", c.signal, c.code, exceeded(c.code))
	}
	return fmt.Sprintf("failed with exit %d%s%s", c.code, exceeded(c.code), broken)
}

// brokenScript returns text to append to the exit status, if the first line of the command's
// script may be wrong, or "". A shell says only that it did not find the script. An
// interpreter may have received the CR of a CR LF line end.
func (c *command) brokenScript() string {
	scripts := c.argv[:1]
	if c.shell {
		scripts = nil
		if c.code == 126 || c.code == 127 { // the shell could not start a program
			scripts = strings.Fields(c.text)
		}
	}
	for _, name := range scripts {
		if !c.shell || strings.Contains(name, "/") {
			path, _ := lookPath(name, newEnviron(c.env)["PATH"], c.dir)
			if problem := process.ScriptProblem(path, c.dir); path != "" && problem != "" {
				return fmt.Sprintf(": '%s': %s", name, problem)
			}
		}
	}
	return ""
}

// exceeded returns the resource limit behind this exit status, as text to append to it, or
// "". A shell exits with 128 plus the number of the signal that ended its child; the signals
// are from setrlimit(2).
func exceeded(code int) string {
	switch syscall.Signal(code - 128) {
	case syscall.SIGXFSZ:
		return ": a file reached the limit on file size"
	case syscall.SIGXCPU:
		return ": a process reached the limit on processor time"
	}
	return ""
}

// createLog returns the log of command n of a job. In a temporary directory, which no reader
// follows, the log is only created with the first output: for a silent command, creating and
// removing a directory and a file would take a good part of the time.
func (r *run) createLog(job string, n int) (*runlog.Log, error) {
	path := filepath.Join(r.Out, filepath.FromSlash(runlog.LogPath(job, n)))
	if r.temporary {
		return runlog.NewLog(path, r.MaxLog), nil
	}
	return runlog.CreateLog(path, r.MaxLog)
}
