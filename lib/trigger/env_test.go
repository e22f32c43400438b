package trigger

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPushOptions(t *testing.T) {
	for _, test := range []struct {
		options []string
		skip    bool
		vars    map[string]string
		warning string // part of each warning; "" for no warning
	}{
		{[]string{"ci.skip", "ci.wait", "other", "CI.x", "ci"}, true, nil, ""},
		{[]string{"ci.var=A=1", "ci.var=B=a=b", "ci.var=A="}, false, map[string]string{"A": "", "B": "a=b"}, ""},
		{[]string{"ci.var=A=1", "ci.var"}, false, map[string]string{"A": "1"}, "'ci.var' has no effect: '' is not of the form"},
		{[]string{"ci.var=PATH=/x"}, false, nil, "'ci.var=PATH=/x' has no effect: 'PATH' cannot be"},
		{[]string{"ci.var=A"}, false, nil, "'A' is not of the form NAME=VALUE"},
		{[]string{"ci.skipp", "ci.wait=1", "ci.", "ci.skip=no"}, false, nil, "the options are ci.skip, ci.wait and ci.var=NAME=VALUE"},
	} {
		var tr Trigger
		env := map[string]string{"GIT_PUSH_OPTION_COUNT": fmt.Sprint(len(test.options))}
		for i, o := range test.options {
			env[fmt.Sprintf("GIT_PUSH_OPTION_%d", i)] = o
		}
		warnings := tr.FromEnv(func(name string) string { return env[name] })
		if diff := cmp.Diff(test.vars, tr.Vars); diff != "" || tr.Skip != test.skip {
			t.Errorf("%q: skip %t, variables %s", test.options, tr.Skip, diff)
		}
		if (test.warning == "") != (len(warnings) == 0) {
			t.Errorf("%q: warnings %q", test.options, warnings)
		}
		for _, w := range warnings {
			if !strings.Contains(w, test.warning) {
				t.Errorf("%q: warning %q, want %q", test.options, w, test.warning)
			}
		}
	}
}
