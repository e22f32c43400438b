package process

import (
	"fmt"
	"os/exec"
	"syscall"
)

// Detach starts cmd in a session of its own, to go on when this process has ended
// and whatever becomes of it. It inherits the descriptors that cmd names and no other.
func Detach(cmd *exec.Cmd) error {
	closeOnExec()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("cannot start '%s': %w", cmd.Path, err)
	}
	return cmd.Process.Release()
}
