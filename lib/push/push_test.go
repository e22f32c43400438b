package push

import (
	"strings"
	"testing"
)

func TestSubject(t *testing.T) {
	for message, want := range map[string]string{
		"":                              "",
		"\n\n":                          "",
		"one\n":                         "one",
		"one":                           "one",
		"\n \none\n\nbody\n":            "one",
		"one\ntwo \n\nbody":             "one two",
		"one\r\n\r\nbody\r\n":           "one",
		strings.Repeat("x", 2000):       strings.Repeat("x", 1000),
		"a" + strings.Repeat("é", 1000): "a" + strings.Repeat("é", 499),
	} {
		if got := Subject(message); got != want {
			t.Errorf("%.30q: got %.30q (%d bytes), want %.30q", message, got, len(got), want)
		}
	}
}

func TestWantsSkip(t *testing.T) {
	for message, want := range map[string]bool{
		"one [skip ci]\n": true, "one\n\nbody\n[ci skip]": true, "[skip ci]": true,
		"": false, "skip ci": false, "[skip-ci]": false, "[skip\nci]": false, "[no skip ci]": false,
	} {
		if got := WantsSkip(message); got != want {
			t.Errorf("%q: %t", message, got)
		}
	}
}

func TestBranchAndTag(t *testing.T) {
	for ref, want := range map[string][2]string{
		"refs/heads/a/b": {"a/b", ""}, "refs/tags/v1": {"", "v1"}, "refs/notes/x": {"", ""}, "": {"", ""},
	} {
		f := Facts{Ref: ref}
		if got := [2]string{f.Branch(), f.Tag()}; got != want {
			t.Errorf("%s: got %v, want %v", ref, got, want)
		}
	}
}
