package process

import (
	"fmt"
	"os/exec"
	"syscall"
)

// Detach starts cmd in a new session, so that it continues after this process has ended. It
// inherits only the descriptors that cmd names.
func Detach(cmd *exec.Cmd) error {
	closeOnExec()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("cannot start '%s': %w", cmd.Path, err)
	}
	return cmd.Process.Release()
}
