package git

import (
	"bytes"
	"compress/zlib"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quire/lib/git/direct"
)

func (f *fixture) loose() *direct.Objects {
	return direct.NewObjects(filepath.Join(f.open().CommonDir(), "objects"))
}

func (f *fixture) looseFile(id string) string {
	return filepath.Join(f.open().CommonDir(), "objects", id[:2], id[2:])
}

func TestFindLooseObject(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			f := newFixture(t, "--object-format="+format)
			empty := f.gitIn("", "mktree")
			bare := f.git("commit-tree", "-m", "nothing", empty)
			f.write(".quire/ci.fnl", "(x)")
			f.write("large", strings.Repeat("x", 1<<20))
			commit := f.commit("one")
			f.git("update-index", "--add", "--cacheinfo", "160000,"+commit+",sub")
			f.git("commit", "-qm", "two")
			withSub := f.git("rev-parse", "HEAD")
			f.git("tag", "-am", "m", "v1")
			f.git("tag", "-am", "m", "v2", "v1")
			tag := f.git("rev-parse", "v2")
			tree, blob := f.git("rev-parse", "HEAD^{tree}"), f.git("rev-parse", "HEAD:.quire/ci.fnl")
			if err := os.Remove(f.looseFile(empty)); err != nil {
				t.Fatal(err)
			}
			tests := []struct {
				spec, oid, kind string
				err             error
			}{
				{commit, commit, "commit", nil},
				{tag, tag, "tag", nil},
				{tag + "^{commit}", withSub, "commit", nil},
				{tag + "^{tree}", tree, "tree", nil},
				{tag + ":.quire/ci.fnl", blob, "blob", nil},
				{commit + "^{commit}:.quire/ci.fnl", blob, "blob", nil},
				{tree + ":.quire/ci.fnl", blob, "blob", nil},
				{commit + ":.quire/ci.lua", "", "", ErrMissing},
				{commit + ":.quire/ci.fnl/x", "", "", ErrMissing},
				{blob + "^{commit}", "", "", ErrMissing},
				{blob + ":a", "", "", ErrMissing},
				{tree + "^{commit}", "", "", ErrMissing},
				{bare + "^{tree}", empty, "tree", nil},
				{bare + ":.quire", "", "", ErrMissing},

				{"HEAD", "", "", direct.ErrAskGit},
				{commit + "^", "", "", direct.ErrAskGit},
				{commit + "~1", "", "", direct.ErrAskGit},
				{commit + "^{blob}", "", "", direct.ErrAskGit},
				{commit + "^{/one}", "", "", direct.ErrAskGit},
				{commit + ":", "", "", direct.ErrAskGit},
				{commit + ":./x", "", "", direct.ErrAskGit},
				{commit + ":large", "", "", direct.ErrAskGit},
				{withSub + ":sub", "", "", direct.ErrAskGit},
				{strings.Repeat("1", len(commit)), "", "", direct.ErrAskGit},
			}
			s := f.loose()
			for _, tt := range tests {
				o, err := s.Find(tt.spec)
				got := [2]string{o.OID, o.Type}
				if diff := cmp.Diff([2]string{tt.oid, tt.kind}, got); diff != "" || !errors.Is(err, tt.err) {
					t.Errorf("find(%q): %v %s", tt.spec, err, diff)
				}
			}
			f.git("repack", "-adq")
			if _, err := f.loose().Find(commit); err != direct.ErrAskGit {
				t.Errorf("of a packed commit: %v, want direct.ErrAskGit", err)
			}
		})
	}
}

// deflated returns text compressed as in a file of a loose object.
func deflated(text string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write([]byte(text))
	w.Close()
	return b.String()
}

// A file whose content does not match its name is never used.
func TestFindRefusesDamagedFile(t *testing.T) {
	f := newFixture(t)
	f.write("file", "contents")
	f.commit("one")
	id := f.git("rev-parse", "HEAD:file")
	good := deflated("blob 8\x00contents")
	for name, text := range map[string]string{
		"empty":             "",
		"cut short":         good[:len(good)-6],
		"not deflated":      "blob 8\x00contents",
		"another object":    deflated("blob 8\x00CONTENTS"),
		"wrong size":        deflated("blob 9\x00contents"),
		"no size":           deflated("blob\x00contents"),
		"no header":         deflated("contents"),
		"a header too long": deflated(strings.Repeat("blob 8", 1<<20)),
	} {
		if err := os.Remove(f.looseFile(id)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.looseFile(id), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if o, err := f.loose().Find(id); err != direct.ErrAskGit {
			t.Errorf("%s: found %+v, %v", name, o, err)
		}
	}
}
