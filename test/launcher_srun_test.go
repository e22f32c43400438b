package test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestLauncherSrun runs the scripts of the launcher srun, each with a Slurm of its own.
func TestLauncherSrun(t *testing.T) {
	t.Parallel()
	slow(t)
	needs(t, slurmPrograms...)
	needsRoot(t)
	if _, err := os.Stat(freezer); err != nil {
		t.Skipf("Slurm 22.05 needs the control groups of %s", freezer)
	}
	launcherScripts(t, "srun", setupSlurm)
	anyLauncher(t, programs{
		launcher: `exec "$LAUNCHERS/srun" --partition=ci "$@"`,
		inside: `"$@"
status=$?
until [ -z "$(squeue -h)" ]; do :; done # a job that was killed is gone a moment later
exit "$status"`,
	}, setupSlurm)
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

const slurmUsage = `usage: slurm kill NODE
       slurm stop
       slurm start
       slurm await [STATE...]`

// slurmCommand is the command slurm of scripts: kills one of the nodes n1, n2 and n3;
// stops the controller, and starts it again; waits until the jobs that have not ended are
// in just these states, which are sorted.
func slurmCommand(ts *testscript.TestScript, neg bool, args []string) {
	s := &slurm{dir: filepath.Dir(ts.Getenv("SLURM_CONF")), conf: ts.Getenv("SLURM_CONF")}
	switch {
	case !neg && len(args) == 2 && args[0] == "kill":
		ts.Check(s.kill(args[1]))
	case !neg && len(args) == 1 && args[0] == "stop":
		ts.Check(s.stopController())
	case !neg && len(args) == 1 && args[0] == "start":
		ts.Check(s.startController())
	case !neg && len(args) > 0 && args[0] == "await":
		ts.Check(s.await(fmt.Sprintf("jobs that are %q", args[1:]), func() bool {
			states, err := s.command("squeue", "-h", "-o", "%T").Output()
			return err == nil && slices.Equal(slices.Sorted(strings.FieldsSeq(string(states))), args[1:])
		}))
	default:
		ts.Fatalf("%s", slurmUsage)
	}
}
