package process

import (
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Exec turns this process into the program at path, which dies with this one's
// parent as a command that Start started does. It returns only an error.
//
// The parent-death signal belongs to a thread, and execve(2) keeps that of the
// thread that calls it: in a Go program hardly ever the first one, which got the
// signal from Start.
func Exec(path string, args, env []string) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return err
	}
	return syscall.Exec(path, args, env)
}
