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
	n       int      // counted from 1 in the job
	argv    []string // as it is run
	text    string   // as a shell reads it
	shown   string   // text, redacted
	shell   bool     // text runs under a shell
	under   []string // the shell that the option names; nil: that of the run
	dir     string   // absolute
	cwd     string   // relative to the workspace, "" for that
	env     []string
	cgroup  *process.Cgroup
	stdin   string
	timeout time.Duration // 0: none
	check   bool          // a failure that the pipeline does not look at fails the job
	place   place         // of the call

	started bool
	refused string // why it could not be started
	code    int    // as a shell has it
	signal  string // "KILL", if a signal ended it
	reason  string // timeout or cancelled, if quire ended it
	looked  bool   // the pipeline has read the exit status
	stdout  string
	stderr  string

	truncated bool // stdout or stderr is not all
}

// errCommandTimeout is why a command is ended that takes longer than its timeout.
var errCommandTimeout error = &endError{reasonTimeout, "timeout of the command"}

// exitTimeout is the status of a command that was ended for its timeout, whatever
// it made of the signal; timeout(1) has the same.
const exitTimeout = 124

// exitNotFound is the status of a command that was not found. A shell has it, too, if it
// did not find the program of its last command.
const exitNotFound = 127

// failed reports whether the command has to be looked at.
func (c *command) failed() bool { return c.code != 0 }

// endedWithJob reports whether quire ended the command because its job was over, and not
// for its own timeout.
func (c *command) endedWithJob() bool { return c.reason != "" && c.code != exitTimeout }

// describe returns how the command ended, for a message.
func (c *command) describe() string {
	switch {
	case c.reason == reasonTimeout && c.code == exitTimeout:
		return fmt.Sprintf("ran longer than %s", c.timeout)
	case !c.started:
		return fmt.Sprintf("could not be started (exit %d): %s", c.code, c.refused)
	case c.signal != "":
		return fmt.Sprintf("was ended by signal %s (exit %d)%s", c.signal, c.code, exceeded(c.code))
	}
	return fmt.Sprintf("failed with exit %d%s%s", c.code, exceeded(c.code), c.brokenScript())
}

// brokenScript returns what is wrong with the first line of a script that the command may
// have failed to run, as a remark behind the exit status, or "". A shell says only that it
// did not find the script. An interpreter may have been started and was given the CR of a
// line that ends in CR LF.
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

// exceeded returns the resource limit that ended a command with this exit status, as a
// remark behind it, or "". A shell reports the signal that ended its child in its own
// status, 128 and the number; see setrlimit(2).
func exceeded(code int) string {
	switch syscall.Signal(code - 128) {
	case syscall.SIGXFSZ:
		return ": a file reached the limit on file size"
	case syscall.SIGXCPU:
		return ": a process reached the limit on processor time"
	}
	return ""
}

// createLog returns the log of command n of a job. No process follows a scratch log, so its
// file is only created with the first output: for a command that prints nothing, creating and
// removing a directory and a file would be a good part of the work.
func (r *run) createLog(job string, n int) (*runlog.Log, error) {
	path := filepath.Join(r.Out, filepath.FromSlash(runlog.LogPath(job, n)))
	if r.Scratch {
		return runlog.NewLog(path), nil
	}
	return runlog.CreateLog(path)
}
