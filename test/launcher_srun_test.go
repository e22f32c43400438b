package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestLauncherSrun runs the scripts of the launcher srun, each with a Slurm of its own.
func TestLauncherSrun(t *testing.T) {
	missing := slices.DeleteFunc(slices.Clone(slurmPrograms), func(program string) bool {
		_, err := exec.LookPath(program)
		return err == nil
	})
	switch {
	case len(missing) > 0:
		skip(t, "%s of Slurm is not installed", missing[0])
	case os.Getuid() != 0:
		skip(t, "only root can start Slurm's daemons")
	}
	launcherScripts(t, "srun", setupSlurm)
	anyLauncher(t, programs{
		launcher: `exec "$LAUNCHERS/srun" --partition=ci "$@"`,
		leftover: `until [ -z "$(squeue -h)" ]; do :; done; echo nothing else left`,
	}, setupSlurm)
}

// skip skips the test, and says so also where tests are not asked to talk.
func skip(t *testing.T, format string, args ...any) {
	t.Helper()
	text := fmt.Sprintf("skipped: "+format, args...)
	fmt.Fprintln(os.Stderr, text)
	t.Skip(text)
}

// setupSlurm starts a cluster that ends with the script.
func setupSlurm(env *testscript.Env) error {
	s, err := newSlurm(3)
	if err != nil {
		return err
	}
	env.Defer(func() {
		if err := s.end(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	})
	env.Setenv("SLURM_CONF", s.conf)
	return nil
}

const slurmUsage = `usage: slurm kill DAEMON
       slurm controller
       slurm await NAME STATE`

// slurmCommand is the command slurm of scripts: kills the controller or the node n1, n2
// or n3; starts the controller again; waits until the one job named NAME is in STATE, or
// gone.
func slurmCommand(ts *testscript.TestScript, neg bool, args []string) {
	s := &slurm{dir: filepath.Dir(ts.Getenv("SLURM_CONF")), conf: ts.Getenv("SLURM_CONF")}
	switch {
	case !neg && len(args) == 2 && args[0] == "kill":
		ts.Check(s.kill(args[1]))
	case !neg && len(args) == 1 && args[0] == "controller":
		ts.Check(s.startController())
	case !neg && len(args) == 3 && args[0] == "await":
		want := args[2]
		if want == "gone" {
			want = ""
		}
		ts.Check(s.await("job "+args[1]+" to be "+args[2], func() bool {
			state, err := s.command("squeue", "-h", "--name="+args[1], "-o", "%T").Output()
			return err == nil && strings.TrimSpace(string(state)) == want
		}))
	default:
		ts.Fatalf("%s", slurmUsage)
	}
}
