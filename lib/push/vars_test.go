package push

import (
	"strings"
	"testing"
)

func TestParseVar(t *testing.T) {
	for assignment, want := range map[string][2]string{
		"A=b":              {"A", "b"},
		"_a9=":             {"_a9", ""},
		"a=b=c\n\xff 'd'":  {"a", "b=c\n\xff 'd'"},
		"LDFLAGS=-s":       {"LDFLAGS", "-s"},
		"QUIRE=1":          {"QUIRE", "1"},
		"path=/x":          {"path", "/x"},
		"A":                {},
		"":                 {},
		"=b":               {},
		"9A=b":             {},
		"A-B=c":            {},
		"A\n=c":            {},
		"É=c":              {},
		" A=c":             {},
		"PATH=/x":          {},
		"HOME=/x":          {},
		"CI=false":         {},
		"QUIRE_RUN=x":      {},
		"GIT_DIR=x":        {},
		"LD_PRELOAD=/x.so": {},
	} {
		name, value, err := ParseVar(assignment)
		if got := [2]string{name, value}; got != want || (err == nil) != (want[0] != "") {
			t.Errorf("%q: got %q, %v", assignment, got, err)
		}
	}
}

func TestCheckTrigger(t *testing.T) {
	for word, good := range map[string]bool{
		"schedule": true, "hand": true, "a": true, "nightly-2": true, "push-2": true,
		"": false, "push": false, "gate": false, "Nightly": false, "2": false, "-a": false, "a b": false, "a\n": false, "é": false,
		strings.Repeat("a", 200): true,
	} {
		if err := CheckTrigger(word); (err == nil) != good {
			t.Errorf("%q: %v", word, err)
		}
	}
}
