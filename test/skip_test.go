package test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// isSlow reports whether SLOW=1 is set.
func isSlow() bool { return os.Getenv("SLOW") != "" }

// slow skips a test unless SLOW=1 is set: it installs software, starts daemons or a browser,
// or adds users.
func slow(t *testing.T) {
	t.Helper()
	if !isSlow() {
		t.Skip("SLOW=1 is not set")
	}
}

// repeatsAll reports whether SLOW=1 is set. If not, it reports that a test tries only a sample.
func repeatsAll(t *testing.T) bool {
	t.Helper()
	if !isSlow() {
		t.Log("unchecked: SLOW=1 is not set")
	}
	return isSlow()
}

// sampleStep returns the step of a loop from 1 on that repeats a check.
func sampleStep(t *testing.T) int {
	t.Helper()
	if repeatsAll(t) {
		return 1
	}
	return 3
}

// needs skips a test if a tool is not installed.
func needs(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
}

// needsRoot skips a test if only the superuser can run it.
func needsRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("not the superuser")
	}
}

// needsSandbox skips a test if bwrap is not installed or may not make its namespaces.
func needsSandbox(t *testing.T) {
	t.Helper()
	if problem := sandboxProblem(); problem != "" {
		t.Skip(problem)
	}
}

var sandboxProblem = sync.OnceValue(func() string {
	return problemOf("bwrap", "--unshare-all", "--unshare-user", "--disable-userns", "--ro-bind", "/", "/", "true")
})

var mountProblem = sync.OnceValue(func() string {
	return problemOf("unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt")
})

// problemOf runs a command and returns why it failed in one line, "" if it did not.
func problemOf(name string, args ...string) string {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err == nil {
		return ""
	}
	line, _, _ := strings.Cut(string(bytes.TrimSpace(out)), "\n")
	return fmt.Sprintf("%s does not work here: %v %s", name, err, line)
}

// condition evaluates a condition of scripts in brackets.
func condition(name string) (bool, error) {
	switch name {
	case "slow":
		return isSlow(), nil
	case "root":
		return os.Getuid() == 0, nil
	case "mount":
		return mountProblem() == "", nil
	case "pip":
		return problemOf("python3", "-c", "import pip") == "", nil
	case "sandbox":
		return sandboxProblem() == "", nil
	}
	return false, fmt.Errorf("unknown condition '%s'", name)
}

// unchecked REASON reports, in the last line of "make check", that a part of a script is
// not run here.
func unchecked(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: unchecked REASON")
	}
	ts.Logf("unchecked: %s", args[0])
}
