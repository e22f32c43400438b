package test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestLauncher runs the scripts of the contract of a launcher, quire-launcher(7).
func TestLauncher(t *testing.T) { launcherScripts(t, "contract") }

// launcherScripts runs the scripts testdata/launcher/NAME*.txtar: pushes to a real
// repository with the executor quire-ci. $LAUNCHERS is where the ready launchers are,
// and the command launcher puts a launcher into the configuration.
func launcherScripts(t *testing.T, name string) {
	t.Helper()
	files, err := filepath.Glob("testdata/launcher/" + name + "*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts of launcher %s: %v", name, err)
	}
	testscript.Run(t, testscript.Params{
		Files: files,
		Setup: func(env *testscript.Env) error {
			env.Setenv("LAUNCHERS", filepath.Join(prefix, "share/quire/launchers"))
			return setup(env, "quire-ci")
		},
		Cmds:                scriptCommands,
		RequireExplicitExec: true,
		Condition:           func(c string) (bool, error) { return c == "root" && os.Getuid() == 0, nil },
	})
}
