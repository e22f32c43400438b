package main

import (
	"errors"
	"os/exec"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// exits runs a command that must exit with a code: exits CODE COMMAND [ARG...].
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// create records a run and puts its id into a variable of the script:
// create VARIABLE [OPTION...].
func create(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: create VARIABLE [OPTION...]")
	}
	options := append([]string{"create", "--repo", "a.git", "--git-dir", "/srv/a.git",
		"--ref", "refs/heads/main", "--sha", "abc"}, args[1:]...)
	ts.Check(ts.Exec("quire-runstate", options...))
	id, _, _ := strings.Cut(ts.ReadFile("stdout"), "\t")
	ts.Setenv(args[0], id)
}
