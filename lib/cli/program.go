package cli

import (
	"os"
	"os/exec"
	"path/filepath"
)

// Program returns the path of the running command. The way by which it was found in
// PATH counts: behind links there may be the directory of one version, which goes with
// the next.
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
