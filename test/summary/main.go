// Summary runs "go test" and prints its output: the output of the tests that fail, and
// one line for each package. If tests were skipped, its last line names them, with the
// reasons. It exits with 1 if a test failed, or, with NOSKIP=1 in the environment, if one was
// skipped.
//
// usage: summary [-absent TOOLS] ARG... [-- ARG...]...
//
// Each list of ARGs is for one "go test". TOOLS, separated by spaces, are not installed; the
// last line names them too.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

// An event is one line of "go test -json"; see "go doc test2json" and "go help buildjson".
type event struct{ Action, Package, Test, Output string }

// A summary collects the events of all packages.
type summary struct {
	outputs map[string][]string // of each test that has not ended, and of each package: by package and test
	failed  map[string][]string // the outputs of the failed tests of a package
	reasons []string            // why tests were skipped, in order
	skipped map[string][]string // the tests, by reason
}

func newSummary() *summary {
	return &summary{outputs: map[string][]string{}, failed: map[string][]string{}, skipped: map[string][]string{}}
}

func main() {
	s := newSummary()
	args := os.Args[1:]
	if len(args) > 1 && args[0] == "-absent" {
		for tool := range strings.FieldsSeq(args[1]) {
			s.skip(tool+" is not installed", "checks with "+tool)
		}
		args = args[2:]
	}
	status := 0
	for len(args) > 0 {
		list := args
		if i := slices.Index(args, "--"); i >= 0 {
			list, args = args[:i], args[i+1:]
		} else {
			args = nil
		}
		if err := s.test(list); err != nil {
			fmt.Fprintln(os.Stderr, "summary:", err)
			status = 1
		}
	}
	if line := s.line(); line != "" {
		fmt.Println(line)
		if os.Getenv("NOSKIP") != "" {
			status = 1
		}
	}
	os.Exit(status)
}

// test runs one "go test". An error says that a test failed or could not be built.
func (s *summary) test(args []string) error {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	for events := json.NewDecoder(out); ; {
		var e event
		if err := events.Decode(&e); err == io.EOF {
			break
		} else if err != nil {
			_, _ = io.Copy(os.Stdout, io.MultiReader(events.Buffered(), out))
			_ = cmd.Wait()
			return err
		}
		s.add(e)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("go test %s: %w", strings.Join(args, " "), err)
	}
	return nil
}

var reason = regexp.MustCompile(`(?m)^ +\w+\.go:\d+: (.*)`)

// add processes one event, and prints the output of a package that ends.
func (s *summary) add(e event) {
	key := e.Package + " " + e.Test
	output := s.outputs[key]
	switch e.Action {
	case "build-output":
		fmt.Print(e.Output)
	case "output":
		if _, reason, ok := strings.Cut(e.Output, " unchecked: "); ok && e.Test != "" {
			s.skip(strings.TrimSpace(reason), e.Test)
		}
		if !strings.HasPrefix(e.Output, "=== ") {
			s.outputs[key] = append(output, e.Output)
		}
		return
	case "skip":
		if found := reason.FindStringSubmatch(strings.Join(output, "")); found != nil && e.Test != "" {
			s.skip(found[1], e.Test)
		}
	case "fail":
		if e.Test != "" {
			s.failed[e.Package] = append(s.failed[e.Package], output...)
		}
	case "pass":
	default:
		return
	}
	delete(s.outputs, key)
	if e.Test != "" {
		return
	}
	// The package has ended. If it failed, some of its tests may not have ended.
	for unfinished, lines := range s.outputs {
		if strings.HasPrefix(unfinished, e.Package+" ") {
			s.failed[e.Package] = append(s.failed[e.Package], lines...)
			delete(s.outputs, unfinished)
		}
	}
	fmt.Print(strings.Join(s.failed[e.Package], ""))
	for _, line := range output {
		if e.Action == "fail" || line != "PASS\n" {
			fmt.Print(line)
		}
	}
}

func (s *summary) skip(reason, test string) {
	if s.skipped[reason] == nil {
		s.reasons = append(s.reasons, reason)
	}
	s.skipped[reason] = append(s.skipped[reason], test)
}

// line returns the last line, "" if nothing was skipped.
func (s *summary) line() string {
	const most = 3 // how many tests are named for each reason
	var parts []string
	for _, reason := range s.reasons {
		tests := s.skipped[reason]
		names := strings.Join(tests[:min(most, len(tests))], ", ")
		if more := len(tests) - most; more > 0 {
			names += fmt.Sprintf(" and %d more", more)
		}
		parts = append(parts, fmt.Sprintf("%s (%s)", reason, names))
	}
	if parts == nil {
		return ""
	}
	return "skipped: " + strings.Join(parts, "; ")
}
