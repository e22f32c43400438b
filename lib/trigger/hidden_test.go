package trigger

import (
	"io/fs"
	"testing"
	"testing/fstest"
)

func TestHiddenPipeline(t *testing.T) {
	for _, test := range []struct {
		name string
		mode fs.FileMode
		want string
	}{
		{"README", 0, ""},
		{"quire/ci.fnl", 0, ""},
		{".quire", fs.ModeSymlink, "'.quire' is a symbolic link, and must be a directory"},
		{".quire", 0, "'.quire' is not a directory"},
		{".Quire/ci.fnl", 0, "'.Quire' must be spelled '.quire'"},
		{".QUIRE", 0, "'.QUIRE' must be spelled '.quire'"},
		{".quire/CI.fnl", 0, "'.quire' has neither ci.fnl nor ci.lua"},
		{".quire/lib.fnl", 0, "'.quire' has neither ci.fnl nor ci.lua"},
	} {
		tree := fstest.MapFS{test.name: &fstest.MapFile{Mode: test.mode}}
		if got := hiddenPipeline(tree); got != test.want {
			t.Errorf("%s %v: got %q, want %q", test.name, test.mode, got, test.want)
		}
	}
}
