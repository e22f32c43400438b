package test

import (
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// filter runs an installed script with a shell and standard input, and returns its exit
// status and its output.
func filter(t *testing.T, shell, path, input string) (code int, stdout, stderr string) {
	t.Helper()
	argv := append(strings.Fields(shell), filepath.Join(prefix, path))
	cmd := exec.Command(argv[0], argv[1:]...)
	var out, errs strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// record returns the output of show --json for a run with some jobs.
func record(state, jobs string) string {
	return `{"id":"1","repo":"a&b.git","ref":"refs/heads/main","created":"2026-11-29T02:28:47.256Z",` + state + `,"jobs":[` + jobs + `]}`
}

var reports = []struct {
	name, record string
	tap          string   // without the descriptions of tests
	junit        []string // a line for each case
}{
	{"complete", record(`"state":"complete"`, `{"id":"a","state":"complete","started":"2026-11-29T02:28:47.9Z","finished":"2026-11-29T02:28:49Z","commands":[{"cmd":"x <y\u0001","exit":0}]}`),
		"1..1\nok 1 - a\n", []string{"a 1.1 $ x <y?\nexit 0\n"}},
	{"failed and allowed", record(`"state":"failed"`, `
		{"id":"a # \\ b","state":"failed","error":"one\n\"two\"","started":"2026-11-29T02:28:47Z","finished":"2026-11-29T02:28:49Z","commands":[]},
		{"id":"b","state":"failed","reason":"exit","allowed":true,"started":null,"finished":null,"commands":[]},
		{"id":"c","state":"skipped","reason":"input","error":"input\n'a' failed","started":null,"finished":null,"commands":[]}`),
		"1..3\nnot ok 1 - a \\# \\\\ b\nnot ok 2 - b # TODO failed, as the pipeline allows\nok 3 - c # SKIP input 'a' failed\n",
		[]string{"a # \\ b 2 failed: one\n\"two\"", "b 0 skipped: failed, as the pipeline allows: exit", "c 0 skipped: input\n'a' failed"}},
	{"failed without a job", record(`"state":"failed","reason":"timeout"`, ""),
		"1..1\nnot ok 1 - run\n", []string{"run 0 failed: failed timeout"}},
	{"not ended", record(`"state":"active"`, `{"id":"a","state":"active","started":"2026-11-29T02:28:47Z","finished":null,"commands":[{"cmd":"x"}]}`),
		"1..2\nok 1 - a # SKIP it is active\nok 2 - run # SKIP active\n", []string{"a 0 skipped: it is active $ x\nexit unknown\n", "run 0 skipped: active"}},
	{"skipped", record(`"state":"failed","reason":"cancelled","skipped":true`, ""),
		"1..1\nok 1 - run # SKIP skipped cancelled\n", []string{"run 0 skipped: skipped cancelled"}},
}

func TestReports(t *testing.T) {
	t.Parallel()
	needs(t, "jq")
	for _, shell := range shells(t) {
		needs(t, strings.Fields(shell)[0])
		for _, tt := range reports {
			t.Run(shell+" "+tt.name, func(t *testing.T) {
				code, out, errs := filter(t, shell, "share/quire/report/tap", tt.record)
				if code != 0 || errs != "" {
					t.Errorf("tap: exit %d: %s", code, errs)
				}
				var tests strings.Builder
				for line := range strings.Lines(strings.TrimPrefix(out, "TAP version 13\n")) {
					if !strings.HasPrefix(line, " ") {
						tests.WriteString(line)
					}
				}
				if diff := cmp.Diff(tt.tap, tests.String()); diff != "" {
					t.Errorf("tap: %s", diff)
				}
				code, out, errs = filter(t, shell, "share/quire/report/junit", tt.record)
				if code != 0 || errs != "" {
					t.Errorf("junit: exit %d: %s", code, errs)
				}
				if diff := cmp.Diff(tt.junit, junitCases(t, out)); diff != "" {
					t.Errorf("junit: %s", diff)
				}
			})
		}
		for _, input := range []string{"", "{}", "[]", "not JSON", reports[0].record + reports[0].record, `{"jobs":[]}`, record(`"state":"complete"`, "1")} {
			for _, name := range []string{"tap", "junit"} {
				code, out, errs := filter(t, shell, "share/quire/report/"+name, input)
				if want := name + ": standard input is not the record of one run: see quire-runstate show --json\n"; code != 1 || out != "" || errs != want {
					t.Errorf("%s of %q: exit %d, %q, %q", name, input, code, out, errs)
				}
			}
		}
	}
}

func TestReportsCopied(t *testing.T) {
	t.Parallel()
	needs(t, "jq")
	for _, name := range []string{"tap", "junit"} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(read(t, filepath.Join(prefix, "share/quire/report", name))), 0o755); err != nil {
			t.Fatal(err)
		}
		out, _ := exec.Command("sh", path).CombinedOutput()
		want := fmt.Sprintf("%s: '%s/cases.jq' is missing: link to %s instead of copying it\n", name, dir, name)
		if diff := cmp.Diff(want, string(out)); diff != "" {
			t.Error(diff)
		}
	}
}

// junitCases returns a line for each test case: its name, its time, and its content.
func junitCases(t *testing.T, text string) []string {
	t.Helper()
	type message struct {
		Text string `xml:"message,attr"`
	}
	var report struct {
		Suite struct {
			Name     string `xml:"name,attr"`
			Tests    int    `xml:"tests,attr"`
			Failures int    `xml:"failures,attr"`
			Skipped  int    `xml:"skipped,attr"`
			Cases    []struct {
				Name    string   `xml:"name,attr"`
				Time    string   `xml:"time,attr"`
				Failure *message `xml:"failure"`
				Skipped *message `xml:"skipped"`
				Output  string   `xml:"system-out"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(text), &report); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	var lines []string
	failures, skipped := 0, 0
	for _, c := range report.Suite.Cases {
		line := c.Name + " " + c.Time
		if c.Failure != nil {
			failures++
			line += " failed: " + c.Failure.Text
		}
		if c.Skipped != nil {
			skipped++
			line += " skipped: " + c.Skipped.Text
		}
		if c.Output != "" {
			line += " " + c.Output
		}
		lines = append(lines, line)
	}
	s := report.Suite
	if s.Name != "a&b.git refs/heads/main" || s.Tests != len(lines) || s.Failures != failures || s.Skipped != skipped {
		t.Errorf("testsuite %+v", s)
	}
	return lines
}
