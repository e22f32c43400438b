package diag

import (
	"errors"
	"io/fs"
	"os/exec"
)

// Cause returns why a file could not be used or a program not be started, without its
// name, for a message that has that already or must not have it.
func Cause(err error) error {
	if e, ok := errors.AsType[*exec.Error](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
