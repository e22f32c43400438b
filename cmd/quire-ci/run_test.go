package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quire/lib/cli"
	"quire/lib/runlog"
)

const twoJobs = `(local ci (require :quire.ci))
(ci.job :one [:quire/push] (fn [{: sh}] (sh "echo out of one")))
(ci.job :two [:one] (fn [{: sh : env : secret : jobs}]
  (sh [:echo (env :GREETING) (secret :token) (. (jobs :quire/push) :ref)]))
  {:when {:branch :main}})
(ci.job :three [:one] (fn [{: sh}] (sh "echo last words; exit 3")) {:when {:tag :v*}})`

// runIn runs the pipeline in a workspace with its own directory for temporary files, and
// returns the leftovers there.
func runIn(t *testing.T, dir string, args ...string) (out, errs string, left []string) {
	t.Helper()
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	out, errs = call(run, "", append([]string{"--workspace", dir}, args...)...)
	entries, err := os.ReadDir(temp)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		left = append(left, e.Name())
	}
	return out, errs, left
}

func TestRun(t *testing.T) {
	dir := workspace(t, twoJobs)
	secrets := filepath.Join(t.TempDir(), "secrets")
	if err := os.WriteFile(secrets, []byte(`{"token": "s3cr3t-v4lue"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name      string
		args      []string
		out, errs string // parts of the output
		left      int    // entries of TMPDIR
	}{
		{"complete", []string{"--ref", "refs/heads/main", "--var", "GREETING=hello", "--secrets", secrets},
			"two   | hello {{ token }} refs/heads/main\n", "complete: 2 complete, 1 skipped in ", 0},
		{"failed", []string{"--ref", "refs/tags/v1"},
			"three | last words\n", "exit status 1", 1},
		{"no such secret", []string{"--ref", "refs/heads/main"},
			"no secret 'token': there are none; --secrets FILE gives them (0.0s)\n", "exit status 1", 1},
		{"one job", []string{"--job", "one"}, "one | out of one\n", "complete: 1 complete in ", 0},
		{"plan", []string{"-n", "--ref", "refs/heads/main"},
			"one\trun\tquire/push\t-\ntwo\trun\tone\t-\nthree\tskip\tone\tthe push does not match its :when\n", "", 0},
		{"no such job", []string{"--job", "four"}, "", "no job 'four' in the pipeline", 0},
		{"bad variable", []string{"--var", "x"}, "", "bad value 'x' of option '--var': 'x' is not of the form NAME=VALUE", 0},
		{"no secrets", []string{"--secrets", "/none"}, "", "cannot read secrets '/none': no such file or directory", 0},
		{"no facts", []string{"--facts", "/none"}, "", "cannot read facts '/none': no such file or directory", 0},
		{"operand", []string{"x"}, "", "unexpected operand 'x'", 0},
		{"negative", []string{"-j", "-1"}, "", "bad value '-1' of option '-j': negative", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, errs, left := runIn(t, dir, test.args...)
			if !strings.Contains(out, test.out) || test.out == "" && out != "" {
				t.Errorf("stdout is %q, want one with %q", out, test.out)
			}
			if !strings.Contains(errs, test.errs) || test.errs == "" && errs != "" {
				t.Errorf("stderr is %q, want one with %q", errs, test.errs)
			}
			if len(left) != test.left {
				t.Errorf("in TMPDIR are %q, want %d", left, test.left)
			}
		})
	}
}

// The limits of evaluation reach the run, and only the job over them fails.
func TestRunLimits(t *testing.T) {
	dir := workspace(t, `(local ci (require :quire.ci))
(ci.job :loop [:quire/push] (fn [] (while true nil)))
(ci.job :other [:quire/push] (fn [{: sh}] (sh "echo out of other")))`)
	facts := filepath.Join(t.TempDir(), "facts")
	if err := os.WriteFile(facts, []byte(`{"facts": {"run": "id"}, "eval-time": "50ms"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _, _ := runIn(t, dir, "--facts", facts)
	for _, want := range []string{"ran longer than 50ms", "other | complete ("} {
		if !strings.Contains(out, want) {
			t.Errorf("the output is without %q: %s", want, out)
		}
	}
}

// A directory for logs is used once: its content stays.
func TestRunKeepsOut(t *testing.T) {
	dir, out := workspace(t, twoJobs), filepath.Join(t.TempDir(), "out")
	if _, errs, _ := runIn(t, dir, "--job", "one", "--out", out); !strings.Contains(errs, "complete") {
		t.Fatal(errs)
	}
	before, err := os.ReadFile(filepath.Join(out, runlog.EventsFile))
	if err != nil {
		t.Fatal(err)
	}
	_, errs, _ := runIn(t, dir, "--job", "one", "--out", out)
	if want := "cannot create '" + out + "/events.jsonl': file exists"; errs != want {
		t.Errorf("the error is %q, want %q", errs, want)
	}
	after, err := os.ReadFile(filepath.Join(out, runlog.EventsFile))
	if err != nil || string(before) != string(after) {
		t.Errorf("the events are changed: %v", err)
	}
}

// The facts from launch reach the run's jobs.
func TestRunFacts(t *testing.T) {
	dir := workspace(t, `(local ci (require :quire.ci))
(ci.job :one [:quire/push] (fn [{: jobs : env}] [(. (jobs :quire/push) :branch) (env :QUIRE_RUN) (env :TEST_PASSED)]))`)
	facts := filepath.Join(t.TempDir(), "facts")
	if err := os.WriteFile(facts, []byte(`{"facts": {"run": "id", "ref": "refs/heads/main"}, "pass-env": ["TEST_PASSED"], "timeout": "1m"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TEST_PASSED", "yes")
	out := filepath.Join(t.TempDir(), "out")
	if _, errs, _ := runIn(t, dir, "--facts", facts, "--out", out); !strings.Contains(errs, "complete") {
		t.Fatal(errs)
	}
	records, err := runlog.Summarize(out)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := json.Unmarshal(records[0].Output, &got); err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(got, " "); text != "main id yes" {
		t.Errorf("the job knows %q", text)
	}
}

// A closed pipe ends the run in order, with the commands and their processes.
func TestRunIntoClosedPipe(t *testing.T) {
	dir := workspace(t, `(local ci (require :quire.ci))
(ci.job :one [:quire/push] (fn [{: sh}] (sh "exec sleep 20")))`)
	t.Setenv("TMPDIR", t.TempDir())
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	var errs strings.Builder
	e := &cli.Env{Name: "quire-ci", Args: []string{"--workspace", dir}, Stdout: w, Stderr: &errs, Getenv: os.Getenv}
	if code := e.Report(run(context.Background(), e)); code != 141 || !strings.Contains(errs.String(), "the output is a closed pipe") {
		t.Errorf("the run ended with %d and reported %q", code, errs.String())
	}
}

// A command that ignores its standard input is not our output's closed pipe.
func TestRunWithUnreadInput(t *testing.T) {
	dir := workspace(t, `(local ci (require :quire.ci))
(ci.job :one [:quire/push]
  (fn [{: sh}]
    (for [_ 1 5] (sh "exec true" {:stdin (string.rep "x" 1000000)}))))`)
	if out, errs, _ := runIn(t, dir); !strings.Contains(errs, "complete: 1 complete") {
		t.Errorf("the run reported %q and printed %q", errs, out)
	}
}
