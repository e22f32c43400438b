package test

import "testing"

// TestLauncherBwrap runs the scripts of the launcher bwrap.
func TestLauncherBwrap(t *testing.T) {
	t.Parallel()
	needsSandbox(t)
	launcherScripts(t, "bwrap")
	anyLauncher(t, programs{launcher: `exec "$LAUNCHERS/bwrap" "$@"`})
}
