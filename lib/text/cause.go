package text

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
)

// Cause returns the reason of an error of packages os and os/exec without the operation
// and the path, for a message that names its own subject. It returns other errors
// unchanged.
func Cause(err error) error {
	if e, ok := errors.AsType[*exec.Error](err); ok {
		return Cause(e.Err)
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.SyscallError](err); ok {
		return e.Err
	}
	return err
}
