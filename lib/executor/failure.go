package executor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"quire/lib/runlog"
	"quire/lib/text"
	"quire/lib/vm"
)

// Why a job or a run failed, or a job was skipped; see quire-events(5).
const (
	reasonExit      = "exit"
	reasonSignal    = "signal"
	reasonError     = "error"
	reasonTimeout   = "timeout"
	reasonCancelled = "cancelled"
	reasonInternal  = "internal"
	reasonInput     = "input"
	reasonWhen      = "when"
	reasonGate      = runlog.AfterGate
	reasonFailFast  = "fail-fast"
	reasonEmpty     = "empty"
	reasonEarlier   = "earlier"
)

// An endError is the cause if quire itself cancelled the context of a command, a job or the
// run.
type endError struct{ reason, text string }

func (e *endError) Error() string { return e.text }

// tooLong returns the cause for a job or a run that exceeded its timeout.
func tooLong(what string, timeout time.Duration) error {
	return &endError{reasonTimeout, fmt.Sprintf("%s ran longer than %s", what, timeout)}
}

// endReason returns the reason of a command, a job or a run that was ended because its
// context ended with that cause.
func endReason(cause error) string {
	if end, ok := errors.AsType[*endError](cause); ok {
		return end.reason
	}
	if errors.Is(cause, context.DeadlineExceeded) {
		return reasonTimeout
	}
	return reasonCancelled
}

// A position is a line of the pipeline. The zero position is unknown.
type position struct {
	file string
	line int
}

func (p position) String() string {
	if p.file == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d: ", p.file, p.line)
}

// A failure is why a job failed.
type failure struct {
	reason string
	code   int
	text   string // begins with the position if it is known; not redacted
	ended  bool   // quire ended the command together with its job
}

func (r *run) commandFailure(c *command) *failure {
	f := &failure{reason: reasonExit, code: c.code, ended: c.endedWithJob()}
	switch {
	case c.reason != "":
		f.reason = c.reason
	case c.signal != "":
		f.reason = reasonSignal
	}
	broken := c.brokenScript()
	f.text = fmt.Sprintf("%scommand '%s' %s", c.position, firstLine(c.redacted), c.describe(broken))
	if c.code == exitNotFound && broken == "" && r.Facts.ID != "" { // in a working copy, PATH is the user's
		f.text += ": jobs find programs in [env] PATH of the configuration"
	}
	return f
}

// luaFailure returns the failure for the error of a Lua call.
func luaFailure(ctx context.Context, err error) *failure {
	if ctx.Err() != nil {
		return endFailure(context.Cause(ctx))
	}
	var limit *vm.LimitError
	if errors.As(err, &limit) && limit.Kind == vm.Time {
		return &failure{reason: reasonTimeout, text: err.Error()}
	}
	return &failure{reason: reasonError, text: err.Error()}
}

// endFailure returns the failure of a job that quire ended.
func endFailure(cause error) *failure {
	f := &failure{reason: endReason(cause), text: cause.Error()}
	if errors.Is(cause, context.Canceled) {
		f.text = "the run was cancelled"
	}
	return f
}

// maxShown is how many bytes of a command a message shows.
const maxShown = 120

// firstLine returns the first line of a command, cut if it is long. The command must already be
// redacted: afterwards, half of a secret would not be recognized.
func firstLine(shown string) string {
	first, _, more := strings.Cut(strings.TrimSpace(shown), "\n")
	if more && len(first) <= maxShown {
		return first + "..."
	}
	return text.Cut(first, maxShown)
}
