package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// The last line names each skipped test once, with its reason; tests that pass add nothing.
func TestLine(t *testing.T) {
	for _, test := range []struct{ name, events, want string }{
		{"nothing", `{"Action":"pass","Package":"p","Test":"TestA"}{"Action":"pass","Package":"p"}`, ""},
		{"a package without tests", `{"Action":"output","Package":"p","Output":"?   \tp\t[no test files]\n"}{"Action":"skip","Package":"p"}`, ""},
		{"one", `{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
			{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:7: strace is not installed\n"}
			{"Action":"output","Package":"p","Test":"TestA","Output":"--- SKIP: TestA (0.00s)\n"}
			{"Action":"skip","Package":"p","Test":"TestA"}`, "skipped: strace is not installed (TestA)"},
		{"a part of a script", `{"Action":"output","Package":"p","Test":"TestA/x","Output":"        unchecked: a full disk: no\n"}
			{"Action":"pass","Package":"p","Test":"TestA/x"}`, "skipped: a full disk: no (TestA/x)"},
		{"many", strings.Repeat(`{"Action":"output","Package":"p","Test":"TestA","Output":"    a.go:7: no\n"}{"Action":"skip","Package":"p","Test":"TestA"}`, 5),
			"skipped: no (TestA, TestA, TestA and 2 more)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSummary()
			for events := json.NewDecoder(strings.NewReader(test.events)); events.More(); {
				var e event
				if err := events.Decode(&e); err != nil {
					t.Fatal(err)
				}
				s.add(e)
			}
			if got := s.line(); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
			if len(s.outputs) > 0 {
				t.Errorf("kept: %v", s.outputs)
			}
		})
	}
}
