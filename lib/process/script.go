package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// A refusal is an error of execve(2) with a reason, which the error number alone does not tell.
type refusal struct {
	number error // for errors.Is
	text   string
}

func (r *refusal) Error() string { return r.text }
func (r *refusal) Unwrap() error { return r.number }

// explain returns err, the error of starting cmd. If the file of the command exists, it adds
// why the kernel refused it: execve(2) has the same error for a missing file, a script
// without its interpreter and a missing working directory.
func explain(cmd *exec.Cmd, err error) error {
	failed, ok := errors.AsType[*fs.PathError](err)
	if !ok {
		return err
	}
	path := absolute(cmd.Path, cmd.Dir)
	why := ScriptProblem(path, cmd.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && cmd.Dir != "" && !exists(cmd.Dir):
		why = fmt.Sprintf("its working directory '%s' does not exist", cmd.Dir)
	case why != "":
	case errors.Is(err, fs.ErrNotExist) && exists(path):
		why = "its dynamic loader does not exist"
	case errors.Is(err, unix.ENOEXEC):
		why = "it is neither a program for this machine nor a script that begins with '#!'"
	default:
		return err
	}
	return &fs.PathError{Op: failed.Op, Path: failed.Path, Err: &refusal{failed.Err, why}}
}

// maxFirstLine is how much of a script the kernel reads to find its interpreter, in bytes.
const maxFirstLine = 256

// ScriptProblem returns the problem of the first line of the script at path, which names its
// interpreter: "its interpreter '/bin/x' does not exist". It returns "" if the line is
// right, and for a file that is not a script or cannot be read. Relative names start at dir.
func ScriptProblem(path, dir string) string {
	file, err := os.OpenFile(absolute(path, dir), os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return ""
	}
	defer file.Close()
	head := make([]byte, maxFirstLine)
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return ""
	}
	head, marked := bytes.CutPrefix(head[:n], []byte("\ufeff"))
	head, isScript := bytes.CutPrefix(head, []byte("#!"))
	if !isScript {
		return ""
	}
	line, _, _ := strings.Cut(string(head), "\n")
	words := strings.Fields(line)
	switch {
	case marked:
		return "its first line begins with a byte order mark"
	case strings.HasSuffix(line, "\r"):
		return "its first line ends in CR LF: save it with LF alone"
	case len(words) == 0:
		return "its first line names no interpreter"
	}
	switch err := unix.Access(absolute(words[0], dir), unix.X_OK); {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR):
		return fmt.Sprintf("its interpreter '%s' does not exist", words[0])
	case err != nil:
		return fmt.Sprintf("its interpreter '%s' cannot be run: %v", words[0], err)
	}
	return ""
}

func absolute(path, dir string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
