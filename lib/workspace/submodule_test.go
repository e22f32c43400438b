package workspace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"quire/lib/git"
)

func TestSubmodules(t *testing.T) {
	inner, lib, top := newFixture(t), newFixture(t), newFixture(t)
	modules := func(path, url string) string {
		return fmt.Sprintf("[submodule \"s\"]\n\tpath = %s\n\turl = %s\n", path, url)
	}
	relative := func(from, to *fixture) string {
		rel, err := filepath.Rel(from.open().Dir(), to.open().Dir())
		if err != nil {
			t.Fatal(err)
		}
		return rel
	}
	deep := inner.commitOf(map[string]string{"100644 file": "deep"})
	middle := lib.commitOf(map[string]string{
		"100644 file": "middle", "160000 in/side": deep, "100644 .gitmodules": modules("in/side", relative(lib, inner))})
	absent := strings.Repeat("12", 20)
	good := map[string]string{"160000 dir/lib": middle, "100644 .gitmodules": modules("dir/lib", relative(top, lib))}
	commit := top.commitOf(good)
	for name, reuse := range map[string]bool{"fresh": false, "reuse": true} {
		dir := filepath.Join(t.TempDir(), "ws")
		o := Options{Submodules: true, Reuse: reuse}
		for range 2 {
			if err := Materialize(context.Background(), top.open(), commit, dir, o); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for file, want := range map[string]string{"dir/lib/file": "middle", "dir/lib/in/side/file": "deep"} {
				if got, err := os.ReadFile(filepath.Join(dir, file)); err != nil || string(got) != want {
					t.Errorf("%s: %s has %q, %v", name, file, got, err)
				}
			}
			if !reuse {
				break
			}
		}
	}
	for name, tt := range map[string]struct {
		files map[string]string
		want  string
	}{
		"no .gitmodules": {map[string]string{"160000 lib": middle}, "submodule 'lib' is not in .gitmodules"},
		"another path": {map[string]string{"160000 lib": middle, "100644 .gitmodules": modules("other", relative(top, lib))},
			"submodule 'lib' is not in .gitmodules"},
		"a link": {map[string]string{"160000 lib": middle, "120000 .gitmodules": "/etc/passwd"}, "not in .gitmodules"},
		"elsewhere": {map[string]string{"160000 lib": middle, "100644 .gitmodules": modules("lib", "https://example.org/lib.git")},
			"submodule 'lib': its URL 'https://example.org/lib.git' is not relative"},
		"absolute":      {map[string]string{"160000 lib": middle, "100644 .gitmodules": modules("lib", lib.open().Dir())}, "is not relative"},
		"no repository": {map[string]string{"160000 lib": middle, "100644 .gitmodules": modules("lib", "../none.git")}, "submodule 'lib': cannot open repository"},
		"no commit":     {map[string]string{"160000 lib": absent, "100644 .gitmodules": modules("lib", relative(top, lib))}, "submodule 'lib': cannot find commit '" + absent},
		"malformed":     {map[string]string{"160000 lib": middle, "100644 .gitmodules": "[oops"}, "cannot read .gitmodules"},
	} {
		dir := filepath.Join(t.TempDir(), "ws")
		err := Materialize(context.Background(), top.open(), top.commitOf(tt.files), dir, Options{Submodules: true})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
		if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: something is left", name)
		}
	}

	// The owner's configuration has the path of a submodule.
	elsewhere := top.commitOf(map[string]string{"160000 lib": deep, "100644 .gitmodules": modules("lib", "https://example.org/lib.git")})
	top.git("", "config", "submodule.s.url", inner.open().Dir())
	repo, err := git.Open(top.dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := Materialize(context.Background(), repo, elsewhere, filepath.Join(t.TempDir(), "ws"), Options{Submodules: true}); err != nil {
		t.Errorf("configured: %v", err)
	}
}
