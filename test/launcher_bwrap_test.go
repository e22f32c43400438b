package test

import (
	"os/exec"
	"testing"
)

// TestLauncherBwrap runs the scripts of the launcher bwrap.
func TestLauncherBwrap(t *testing.T) {
	if _, err := exec.LookPath("bwrap"); err != nil {
		skip(t, "bwrap is not installed")
	}
	launcherScripts(t, "bwrap")
	anyLauncher(t, programs{launcher: `exec "$LAUNCHERS/bwrap" "$@"`})
}
