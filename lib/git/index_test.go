package git

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An index is byte for byte what git makes of the same entries.
func TestNewIndex(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		f := newFixture(t, "--object-format="+format)
		oid := f.gitIn("contents\n", "hash-object", "-w", "--stdin")
		entries := []IndexEntry{
			{ModeFile, oid, "b/x"}, {ModeFile, oid, "b.x"}, {ModeFile, oid, "b-x"}, {ModeFile, oid, "b0"},
			{ModeExecutable, oid, "run"}, {ModeLink, oid, "link"}, {ModeSubmodule, oid, "sub"},
			{ModeFile, oid, "line\nbreak"}, {ModeFile, oid, "\xff\"\\"},
		}
		for n := range 20 { // each alignment
			entries = append(entries, IndexEntry{ModeFile, oid, "n/" + strings.Repeat("n", n+1)})
		}
		for _, n := range []int{4094, 4095, 4096, 5001} {
			path := strings.Repeat(strings.Repeat("d", 199)+"/", n/200) + strings.Repeat("e", n%200)
			entries = append(entries, IndexEntry{ModeFile, oid, path})
		}
		var info strings.Builder
		for _, e := range entries {
			fmt.Fprintf(&info, "%o %s\t%s\x00", e.Mode, e.OID, e.Path)
		}
		f.gitIn(info.String(), "update-index", "-z", "--index-info")
		want, err := os.ReadFile(filepath.Join(f.dir, ".git/index"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Open(filepath.Join(f.dir, ".git"))
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "index")
		if _, err := r.NewIndex(file, entries); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, git has %d, or others; %v", format, len(got), len(want), err)
		}
	}
}

// What is no id has no entry, and no entries have no file.
func TestNewIndexOdd(t *testing.T) {
	r, err := Open(newFixture(t, "--bare").dir)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "index")
	if _, err := r.NewIndex(file, []IndexEntry{{ModeFile, "no id", "path"}}); err == nil || !strings.Contains(err.Error(), "path") {
		t.Errorf("error %v", err)
	}
	if _, err := r.NewIndex(file, nil); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("%s: %v", file, err)
	}
}
