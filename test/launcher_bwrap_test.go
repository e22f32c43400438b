package test

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestLauncherBwrap runs the scripts of the launcher bwrap.
func TestLauncherBwrap(t *testing.T) {
	if _, err := exec.LookPath("bwrap"); err != nil {
		skip(t, "bwrap is not installed")
	}
	launcherScripts(t, "bwrap")
	anyLauncher(t, programs{launcher: `exec "$LAUNCHERS/bwrap" "$@"`})
}

// programs are what the scripts of any launcher call, as shell scripts.
type programs struct {
	launcher string // the launcher of all repositories
	inside   string // COMMAND...: where the launcher works; "" for here
	leftover string // tells what a run has left that is no process; "" for nothing
}

// anyLauncher runs the scripts that hold for every launcher of this machine.
func anyLauncher(t *testing.T, p programs, more ...func(*testscript.Env) error) {
	t.Helper()
	launcherScripts(t, "any", append(more, func(env *testscript.Env) error {
		bin := filepath.Join(env.WorkDir, "bin")
		if err := os.Mkdir(bin, 0o755); err != nil {
			return err
		}
		env.Setenv("PATH", bin+":"+env.Getenv("PATH"))
		for name, text := range map[string]string{
			"launcher": p.launcher,
			"inside":   cmp.Or(p.inside, `exec "$@"`),
			"leftover": cmp.Or(p.leftover, "echo nothing else left"),
		} {
			if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
				return err
			}
		}
		return nil
	})...)
}
