package test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestLauncher runs the scripts of the contract of a launcher, quire-launcher(7). The
// launcher shown on that page is tidy in the directory of the script.
func TestLauncher(t *testing.T) {
	t.Parallel()
	text := shownLauncher(t)
	launcherScripts(t, "contract", func(env *testscript.Env) error {
		return os.WriteFile(filepath.Join(env.WorkDir, "tidy"), []byte(text), 0o755)
	})
}

// TestLauncherLimits runs the scripts of the launcher limits.
func TestLauncherLimits(t *testing.T) { launcherScripts(t, "limits") }

// launcherScripts runs the scripts testdata/launcher/NAME*.txtar: pushes to a real
// repository with the executor quire-ci. The ready launchers are in $LAUNCHERS. more sets
// up anything else that a launcher needs.
func launcherScripts(t *testing.T, name string, more ...func(*testscript.Env) error) {
	t.Helper()
	files, err := filepath.Glob("testdata/launcher/" + name + "*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts of launcher %s: %v", name, err)
	}
	testscript.Run(t, testscript.Params{
		Files: files,
		Setup: func(env *testscript.Env) error {
			env.Setenv("LAUNCHERS", filepath.Join(prefix, "share/quire/launchers"))
			err := setup(env, "quire-ci")
			for _, setup := range more {
				err = errors.Join(err, setup(env))
			}
			return err
		},
		Cmds:                scriptCommands,
		RequireExplicitExec: true,
		Condition:           condition,
	})
}

// shownLauncher returns the launcher of quire-launcher(7), "Writing one".
func shownLauncher(t *testing.T) string {
	t.Helper()
	_, text, _ := strings.Cut(read(t, "../man/quire-launcher.7"), "\n.Ss Writing one\n")
	_, text, begun := strings.Cut(text, "\n.Bd -literal -offset indent\n")
	text, _, ended := strings.Cut(text, ".Ed\n")
	if !begun || !ended {
		t.Fatal("quire-launcher(7) shows no launcher")
	}
	return plainText(text)
}

// launcher [ARG...] makes ARGs the launcher of all repositories.
func launcher(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: launcher [ARG...]")
	}
	file := filepath.Join(ts.Getenv("QUIRE_ROOT"), "config.toml")
	text, err := os.ReadFile(file)
	ts.Check(err)
	quoted := make([]string, len(args))
	for i, arg := range args {
		quoted[i] = fmt.Sprintf("%q", arg)
	}
	config := fmt.Sprintf("launcher = [%s]\n", strings.Join(quoted, ", "))
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "launcher =") {
			config += line
		}
	}
	ts.Check(os.WriteFile(file, []byte(config), 0o644))
}
