package process

import (
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Exec replaces this process by the program at path, which dies with this process's parent,
// like a command that Start started. It returns only if it fails.
//
// The parent-death signal belongs to a thread, and execve(2) keeps the calling thread's. In
// a Go program the caller is rarely the first thread, which has the signal from Start.
func Exec(path string, args, env []string) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return err
	}
	return syscall.Exec(path, args, env)
}
