package hook

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"quire/lib/file"
	"quire/lib/text"
)

// RunChained runs the hook that quire's hook replaced. Its standard input is all lines of
// the push, which it need not read. RunChained returns the hook's exit status as in a shell,
// and the lines. The error says that the hook could not be run.
func RunChained(path string, stdin io.Reader, stdout, stderr io.Writer) (status int, lines []byte, err error) {
	lines, err = io.ReadAll(stdin)
	if err == nil {
		status, err = runHook(path, lines, stdout, stderr)
	}
	if err != nil {
		err = fmt.Errorf("cannot run chained hook '%s': %w", path, text.Cause(err))
	}
	return status, lines, err
}

func runHook(path string, lines []byte, stdout, stderr io.Writer) (status int, err error) {
	// Not a pipe: a hook that does not read, or that leaves a process in the background,
	// must not delay the push.
	input, err := file.Nameless("lines of a push", lines)
	if err != nil {
		return 0, err
	}
	defer input.Close()
	run := func(args ...string) error {
		cmd := exec.Cmd{Path: args[0], Args: args, Stdin: input, Stdout: stdout, Stderr: stderr}
		return cmd.Run()
	}
	if err = run(path); errors.Is(err, unix.ENOEXEC) {
		err = run("/bin/sh", path) // as git does if there is no #! line
	}
	ended := (*exec.ExitError)(nil)
	if !errors.As(err, &ended) {
		return 0, err
	}
	if status, ok := ended.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return ended.ExitCode(), nil
}
