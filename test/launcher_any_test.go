package test

import (
	"cmp"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// programs are shell scripts that the scripts of any launcher call.
type programs struct {
	launcher string // the launcher of all repositories
	inside   string // COMMAND... that enters the launcher's environment; "" for none
	leftover string // prints the leftovers of a run that are not processes; "" for nothing
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

// freePorts returns unused ports of the loopback.
func freePorts(n int) (ports []int, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
