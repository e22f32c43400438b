package test

import (
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// subcommands are those of the commands that have some.
var subcommands = map[string]string{
	"quire-ci":       "validate run shell compile graph launch",
	"quire-runstate": "create transition exec list show log wait cancel reconcile notify prune fsck doctor",
}

// TestUsage holds every installed command and subcommand to the same answers to
// --help, --version and an option that does not exist.
func TestUsage(t *testing.T) {
	t.Parallel()
	for _, name := range commands(t) {
		if name == "quire-dispatch" {
			continue // a script, with its own
		}
		calls := [][]string{{name}}
		for sub := range strings.FieldsSeq(subcommands[name]) {
			calls = append(calls, []string{name, sub})
		}
		for _, call := range calls {
			t.Run(strings.Join(call, " "), func(t *testing.T) {
				code, out, errs := runInstalled(t, append(call, "--help"))
				if code != 0 || !strings.HasPrefix(out, "usage: "+strings.Join(call, " ")) || errs != "" {
					t.Errorf("--help: exit %d, stdout %q, stderr %q", code, out, errs)
				}
				code, out, errs = runInstalled(t, append(call, "--version"))
				if code != 0 || !strings.HasPrefix(out, name+" ") || errs != "" {
					t.Errorf("--version: exit %d, stdout %q, stderr %q", code, out, errs)
				}
				code, out, errs = runInstalled(t, append(call, "--no-such-option"))
				want := name + ": unknown option '--no-such-option'\nusage: "
				if code != 2 || out != "" || !strings.HasPrefix(errs, want) {
					t.Errorf("--no-such-option: exit %d, stdout %q, stderr %q", code, out, errs)
				}
			})
		}
	}
}

func runInstalled(t *testing.T, call []string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(filepath.Join(prefix, "bin", call[0]), call[1:]...)
	cmd.Dir, cmd.Env = t.TempDir(), []string{"PATH=/usr/bin:/bin", "LC_ALL=C"}
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}
