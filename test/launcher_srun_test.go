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

// TestLauncherSrun runs the scripts of the launcher srun, each with its own Slurm.
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

// The launcher refuses every spelling of an option that redirects the output or the input
// of a run, and passes other options on. Programs that only print stand in for Slurm's.
func TestLauncherSrunOptions(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	for name, text := range map[string]string{
		"srun": `env | sed -n 's/^\(SL*R*U[RN].*\)=.*/\1/p'; printf '%s\n' "$@"`, "scancel": "", "quire-ci": "",
		"setpriv": `shift 2; exec "$@"`, "setsid": `exec "$@"`,
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	run := func(words ...string) (string, error) {
		empty, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer empty.Close()
		cmd := exec.Command(filepath.Join(prefix, "share/quire/launchers/srun"), append(words, "quire-ci", "run", "-o", "x")...)
		cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "QUIRE_RUN=1", "QUIRE_WORKSPACE=/", "SLURM_JOB_ID=1", "SRUN_OUTPUT=x"}
		cmd.ExtraFiles = []*os.File{empty, empty}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, word := range []string{
		"-o", "-ofile", "--output=file", "--outp=file", "-e", "-efile", "--error=file", "--er", "-i", "-ifile", "-inone", "--input=none",
		"-vofile", "-vvQofile", "-le/dev/null", "-ui/etc/passwd",
	} {
		if out, err := run(word); err == nil || !strings.Contains(out, "cannot use '"+word+"': the output of a run is its log") {
			t.Errorf("%s is not refused: %v, %s", word, err, out)
		}
	}
	for _, word := range []string{"-pi", "--partition=o", "-vv", "-n1", "-J-o", "--exclusive", "--immediate", "--open-mode=append", "-Qpe"} {
		if out, err := run(word); err != nil || !strings.Contains(out, "\n"+word+"\n") || strings.Contains(out, "SRUN_") || strings.Contains(out, "SLURM_") {
			t.Errorf("%s: %v, %s", word, err, out)
		}
	}
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

// slurmCommand is the command slurm of scripts. It kills one of the nodes n1, n2 and n3;
// stops the controller, and starts it again; waits until the unended jobs are in exactly
// these states, which are sorted.
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
