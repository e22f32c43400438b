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

// Beside starts cmd in this process's own group, where EndDescendants spares it, and does
// not wait for it: it continues after this process has ended. It inherits only the
// descriptors that cmd names.
func Beside(cmd *exec.Cmd) error {
	closeOnExec()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("cannot start '%s': %w", cmd.Path, err)
	}
	go func() { _ = cmd.Wait() }() // so that it leaves no zombie
	return nil
}
