package runstore

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSaveFiles(t *testing.T) {
	s := open(t)
	for name, files := range map[string][]string{
		"unknown": nil, "none": {}, "one": {"a"}, "two": {"a", "b/c"}, "spaces": {" ", "a b "},
		"odd": {"na\nme\xff", "\t\\n", "\u2028", "-"}, "many": strings.Split(strings.Repeat("some/file,", 5000)+"x", ","),
	} {
		r := create(t, s, eightFacts()[0])[0]
		if err := r.SaveFiles(files); err != nil {
			t.Fatal(err)
		}
		got, err := r.SavedFiles()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(files, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		path := filepath.Join(r.Dir, filesFile)
		info, err := os.Stat(path)
		if files == nil {
			if err == nil {
				t.Errorf("%s: a file was saved", name)
			}
			continue
		}
		for cut := range min(info.Size(), 50) {
			if err := os.Truncate(path, cut); err == nil && cut < info.Size() {
				if got, err := r.SavedFiles(); got != nil || err != nil {
					t.Errorf("%s cut to %d bytes: %q, %v", name, cut, got, err)
				}
			}
			if err := r.SaveFiles(files); err != nil {
				t.Fatal(err)
			}
		}
	}
}
