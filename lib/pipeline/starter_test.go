package pipeline_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"quire/lib/pipeline"
)

func TestStarter(t *testing.T) {
	for _, test := range []struct{ files, kind, has string }{
		{"Makefile=all:\n\ttrue\ntest :\n\ttrue\n;go.mod=", "a Makefile", `sh "make test"`},
		{"makefile=check: all\n", "a Makefile", `sh "make check"`},
		{"Makefile=.PHONY: test\nbuild check: all\n", "a Makefile", `sh "make check"`},
		{"Makefile=test := a\ncheck ::= b\n\ttest: c\nx: test\n", "a Makefile", "neither a target"},
		{"Makefile=test:: a\n", "a Makefile", `sh "make test"`},
		{"Makefile=all:\ntests:\n", "a Makefile", "neither a target"},
		{"go.mod=;package.json=", "a Go module", "go test ./..."},
		{"Cargo.toml=", "a Cargo package", `sh "cargo test"`},
		{"package.json=", "an npm package", "npm install"},
		{"package.json=;package-lock.json=", "an npm package", "npm ci"},
		{"pyproject.toml=", "a Python project", "-m unittest"},
		{"pyproject.toml=pytest", "a Python project", "-m pytest"},
		{"README=", "any project", "replace this"},
	} {
		tree := fstest.MapFS{}
		for _, f := range strings.Split(test.files, ";") {
			if name, text, ok := strings.Cut(f, "="); ok {
				tree[name] = &fstest.MapFile{Data: []byte(text)}
			}
		}
		s := pipeline.NewStarter(tree)
		if s.Kind != test.kind || !strings.Contains(s.Fennel(), test.has) {
			t.Errorf("%q: got %s:\n%s", test.files, s.Kind, s.Fennel())
		}
		for name, text := range map[string]string{".quire/ci.fnl": s.Fennel(), ".quire/ci.lua": s.Lua()} {
			p, err := pipeline.Load(t.Context(), fstest.MapFS{name: &fstest.MapFile{Data: []byte(text)}}, pipeline.Options{})
			if err != nil {
				t.Errorf("%q: %s: %v", test.files, name, err)
				continue
			}
			if len(p.Jobs) != 2 || p.Jobs[0].ID != "build" || p.Jobs[1].ID != "test" {
				t.Errorf("%q: %s has %d jobs", test.files, name, len(p.Jobs))
			}
			p.Close()
		}
	}
}
