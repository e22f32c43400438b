package test

import (
	"errors"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestAccess gives pushers without a shell access over a real sshd, as quire(7)
// describes.
func TestAccess(t *testing.T) {
	t.Parallel()
	slow(t)
	if _, err := os.Stat(sshd); err != nil {
		t.Skip("sshd is not installed")
	}
	needsRoot(t)
	needs(t, "git-shell")
	testscript.Run(t, testscript.Params{
		Files:               []string{"testdata/access/access.txtar"},
		Setup:               func(env *testscript.Env) error { return errors.Join(setup(env, "quire-ci"), setupFar(env)) },
		Cmds:                scriptCommands,
		RequireExplicitExec: true,
		Condition:           condition,
	})
}
