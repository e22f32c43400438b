// Package cli is common to all quire commands: options, diagnostics and exit codes.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"quire/lib/diag"
	"quire/lib/text"
)

// Version is the version of the whole toolkit.
const Version = "0.2.0"

// The exit codes of every command. A command that runs another one passes on its exit
// code, by the shell's rules: 126, 127, 128+N.
const (
	OK      = 0   // done, or yes
	No      = 1   // no, or the pipeline failed
	Misuse  = 2   // wrong options or operands
	Failure = 111 // quire could not do its work
)

// Env holds the inputs of a command from the process that started it.
type Env struct {
	Name   string   // the command's name, for diagnostics
	Args   []string // without the name; Parse leaves the operands
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Getenv func(string) string

	usage   string          // of the last Parse, printed after a misuse
	literal bool            // the last Parse found "--": operands may begin with '-'
	caught  context.Context // of CatchSignals; otherwise one that never ends
}

// Func is the body of a command. Its error becomes the exit code, see Main.
type Func func(context.Context, *Env) error

// Main runs a command on the standard streams, reports its error on stderr, and returns
// the exit code: the code of a Status error, Misuse for a Usagef error, Failure for any
// other. If run returns context.Canceled because of a signal that CatchSignals caught,
// the code is 128 plus the signal's number.
func Main(name string, args []string, run Func) int {
	ctx := context.Background()
	e := &Env{caught: ctx, Name: name, Args: args, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv}
	err := run(ctx, e)
	if sig := (SignalError{}); errors.Is(err, context.Canceled) && errors.As(context.Cause(e.caught), &sig) {
		err = Status(128+int(sig.Signal), sig)
	}
	return e.Report(err)
}

// EndSignals are the signals that ask a command to end, except those that were ignored
// when it started: nohup ignores HUP, and a shell ignores INT for a command behind '&'.
var EndSignals = slices.DeleteFunc([]os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}, signal.Ignored)

// CatchSignals returns a context that ends at the first of the EndSignals, with a
// SignalError as its cause. A command calls it before it starts anything that it must end
// or remove. From then on the first signal does not end the process, the second does.
// Without it the signal itself ends the command, which gives a shell the same code.
func (e *Env) CatchSignals(ctx context.Context) context.Context {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, EndSignals...)
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		s := <-signals
		signal.Stop(signals)
		cancel(SignalError{s.(syscall.Signal)})
	}()
	e.caught = ctx
	return ctx
}

// SignalError is the cause of a context that a signal ended.
type SignalError struct{ Signal syscall.Signal }

func (s SignalError) Error() string {
	return fmt.Sprintf("ended by signal %d (%s)", int(s.Signal), s.Signal)
}

// statusError carries an exit code. A nil err prints nothing.
type statusError struct {
	code int
	err  error
}

func (s *statusError) Error() string {
	if s.err == nil {
		return fmt.Sprintf("exit status %d", s.code)
	}
	return s.err.Error()
}

func (s *statusError) Unwrap() error { return s.err }

// Status returns an error that makes the command exit with code. err is
// reported as usual; nil reports nothing.
func Status(code int, err error) error { return &statusError{code, err} }

type usageError struct{ what string }

func (u *usageError) Error() string { return u.what }

// Usagef returns an error that explains the misuse.
func Usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// Report writes err to stderr and returns its exit code. Each part of a joined error is
// reported by itself, and the code is the greatest. Diagnostics that point into a file
// are printed unchanged, as a compiler does; anything else is one line after the
// command's name. Returning the error from the command's Func does the same; Report is
// for a command that continues.
func (e *Env) Report(err error) int {
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return OK
	}
	var status *statusError
	if errors.As(err, &status) {
		if status.err != nil {
			e.Report(status.err)
		}
		return status.code
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		code := OK
		for _, part := range joined.Unwrap() {
			code = max(code, e.Report(part))
		}
		return code
	}
	var usage *usageError
	var list diag.List
	switch {
	case errors.As(err, &usage):
		fmt.Fprintf(e.Stderr, "%s: %s\n%s", e.Name, text.Line(usage.what), e.usage)
		return Misuse
	case errors.As(err, &list):
		io.WriteString(e.Stderr, list.Text())
	default:
		fmt.Fprintf(e.Stderr, "%s: %s\n", e.Name, oneLine(err.Error()))
	}
	return Failure
}

// Warn reports a problem that does not stop the work.
func (e *Env) Warn(format string, args ...any) {
	fmt.Fprintf(e.Stderr, "%s: warning: %s\n", e.Name, oneLine(fmt.Sprintf(format, args...)))
}

// Note reports an action on stderr.
func (e *Env) Note(format string, args ...any) {
	fmt.Fprintf(e.Stderr, "%s: %s\n", e.Name, oneLine(fmt.Sprintf(format, args...)))
}

// oneLine joins the lines of s, for example from errors.Join, and makes them safe to
// show.
func oneLine(s string) string {
	lines := strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
	return text.Line(strings.Join(lines, "; "))
}

// Terminal reports whether stdout is a terminal.
func (e *Env) Terminal() bool {
	f, ok := e.Stdout.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
