package executor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

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
	reasonFailFast  = "fail-fast"
	reasonEmpty     = "empty"
	reasonEarlier   = "earlier"
)

// A timeoutError is the cause of a context of a job or a run whose time is up.
type timeoutError struct {
	what string // "the run", "the job"
	time time.Duration
}

func (e *timeoutError) Error() string { return fmt.Sprintf("%s ran longer than %s", e.what, e.time) }

// A failFastError is the cause of a context that the failure of a job ended.
type failFastError struct{ job string }

func (e *failFastError) Error() string { return fmt.Sprintf("job '%s' failed", e.job) }

// endReason returns the reason for what was ended because a context was, by the
// context's cause.
func endReason(cause error) string {
	var late *timeoutError
	var fast *failFastError
	var broken *internalError
	switch {
	case errors.Is(cause, errCommandTimeout), errors.As(cause, &late), errors.Is(cause, context.DeadlineExceeded):
		return reasonTimeout
	case errors.As(cause, &fast):
		return reasonFailFast
	case errors.As(cause, &broken):
		return reasonInternal
	}
	return reasonCancelled
}

// An internalError is what keeps quire from doing its work, such as a full disk.
// It ends the run.
type internalError struct{ err error }

func (e *internalError) Error() string { return e.err.Error() }
func (e *internalError) Unwrap() error { return e.err }

// A place is a line of the pipeline; the zero place is not known.
type place struct {
	file string
	line int
}

func (p place) String() string {
	if p.file == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d: ", p.file, p.line)
}

// A failure is why a job failed.
type failure struct {
	reason string
	code   int
	text   string // with the place in front, where one is known; not redacted
	ended  bool   // it is of a command that was ended with its job
}

func commandFailure(c *command) *failure {
	f := &failure{reason: reasonExit, code: c.code, ended: c.endedWithJob()}
	switch {
	case c.reason != "":
		f.reason = c.reason
	case c.signal != "":
		f.reason = reasonSignal
	}
	f.text = fmt.Sprintf("%scommand '%s' %s", c.place, brief(c.shown), c.describe())
	return f
}

// luaFailure is why a call of a run-fn failed with err.
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

// endFailure is why a job failed that was ended.
func endFailure(cause error) *failure {
	f := &failure{reason: endReason(cause), text: cause.Error()}
	if errors.Is(cause, context.Canceled) {
		f.text = "the run was cancelled"
	}
	return f
}

// briefMax bounds what a message shows of a command, in bytes.
const briefMax = 120

// brief returns the first line of a command, cut if it is long. The command must be
// redacted already: part of a secret would not be found.
func brief(shown string) string {
	first, _, more := strings.Cut(strings.TrimSpace(shown), "\n")
	if more && len(first) <= briefMax {
		return first + "..."
	}
	return text.Cut(first, briefMax)
}
