package test

import (
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"quire/lib/cli"
)

// subcommands returns the subcommands of a command, from its --help.
func subcommands(t *testing.T, name string) []string {
	t.Helper()
	var subs []string
	for line := range strings.Lines(usageText(t, name)) {
		if rest, ok := strings.CutPrefix(line, "  "); ok && rest[0] != ' ' && rest[0] != '-' && strings.Contains(rest, "  ") {
			subs = append(subs, strings.Fields(rest)[0])
		}
	}
	return subs
}

// calls returns all commands, and all subcommands of each.
func calls(t *testing.T) [][]string {
	t.Helper()
	var all [][]string
	for _, name := range commands(t) {
		all = append(all, []string{name})
		for _, sub := range subcommands(t, name) {
			all = append(all, []string{name, sub})
		}
	}
	return all
}

// TestUsage checks that every installed command and subcommand answers --help, --version
// and an unknown option in the same way. A command whose usage does not explain exactly
// its options fails at --help.
func TestUsage(t *testing.T) {
	t.Parallel()
	for _, call := range calls(t) {
		name := call[0]
		t.Run(strings.Join(call, " "), func(t *testing.T) {
			for _, help := range []string{"--help", "-h"} {
				code, out, errs := runInstalled(t, append(call, help))
				if code != 0 || !strings.HasPrefix(out, "usage: "+strings.Join(call, " ")) || errs != "" {
					t.Errorf("%s: exit %d, stdout %q, stderr %q", help, code, out, errs)
				}
				for line := range strings.Lines(out) {
					if utf8.RuneCountInString(line) > 81 || strings.Contains(line, "\t") {
						t.Errorf("%s: not within 80 columns: %s", help, line)
					}
				}
			}
			code, out, errs := runInstalled(t, append(call, "--version"))
			if code != 0 || out != name+" "+cli.Version+"\n" || errs != "" {
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

// acceptedOption matches an option in the loop of a launcher.
var acceptedOption = regexp.MustCompile(`(?m)^\t\*,(--[a-z-]+)\)`)

// TestScriptHelp checks that every script of contrib answers --help, and explains each of
// its options in a line.
func TestScriptHelp(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("../contrib/*/*")
	if err != nil || len(scripts) < 10 {
		t.Fatalf("%v, only %q", err, scripts)
	}
	options := 0
	for _, path := range append(scripts, "../contrib/install") {
		script := read(t, path)
		if !strings.HasPrefix(script, "#!/bin/sh\n") {
			continue
		}
		for _, help := range []string{"--help", "-h"} {
			out, err := exec.Command(path, help).CombinedOutput()
			if err != nil || !regexp.MustCompile(`\A(usage: |`+filepath.Base(path)+`: )`).Match(out) {
				t.Errorf("%s %s: %v\n%s", path, help, err, out)
			}
			for _, option := range acceptedOption.FindAllStringSubmatch(script, -1) {
				if options++; !regexp.MustCompile(`(?m)^  +` + option[1] + `( [A-Z]+)?  +\S`).Match(out) {
					t.Errorf("%s %s does not explain %s:\n%s", path, help, option[1], out)
				}
			}
		}
	}
	if options < 30 {
		t.Errorf("only %d options were found", options)
	}
}

// TestSubcommands checks that the list of subcommands is found at all.
func TestSubcommands(t *testing.T) {
	for name, some := range map[string]string{"quire-runstate": "doctor", "quire-ci": "launch"} {
		if !slices.Contains(subcommands(t, name), some) {
			t.Errorf("%s has the subcommands %q", name, subcommands(t, name))
		}
	}
	for _, name := range []string{"quire-trigger", "quire-materialize", "quire-dispatch"} {
		if got := subcommands(t, name); len(got) > 0 {
			t.Errorf("%s has the subcommands %q", name, got)
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
