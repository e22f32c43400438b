package cli

import (
	"os"
	"os/exec"
	"path/filepath"
)

// Programs are the names of all commands. quire-dispatch is a script, the others are the
// directories of cmd/.
var Programs = []string{"quire-trigger", "quire-dispatch", "quire-materialize", "quire-ci", "quire-runstate", "quire-web"}

// Program returns the path of the running command, as found in PATH. Symbolic links are
// not resolved: they may lead into the directory of one version, which an upgrade
// removes.
func (e *Env) Program() (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	found, err := exec.LookPath(e.Name)
	if err == nil && filepath.IsAbs(found) && same(found, program) {
		return found, nil
	}
	return program, nil
}

func same(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}
