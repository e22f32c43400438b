package git

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var zeros = "0000000000000000000000000000000000000000"

func TestChangedFiles(t *testing.T) {
	f := newFixture(t)
	f.write("keep", "keep")
	f.write("gone", "gone")
	f.write("dir/b", "b")
	root := f.commit("root")
	f.write("dir/b", "changed")
	f.write("na\nme\xff", "odd")
	f.git("rm", "-q", "gone")
	main := f.commit("main")
	f.git("checkout", "-q", "-b", "topic", root)
	f.write("topic", "topic")
	topic := f.commit("topic")
	f.git("tag", "-a", "-m", "m", "v1", topic)
	f.git("checkout", "-q", "--orphan", "alone")
	alone := f.commit("alone")
	f.git("checkout", "-q", "main")
	blob := f.git("rev-parse", "main:keep")
	empty := func(parent string) string {
		return f.git("commit-tree", "-p", parent, "-m", "nothing", parent+"^{tree}")
	}
	same, aside := empty(main), empty(root)
	f.git("branch", "same", same)
	f.git("branch", "aside", aside)
	p := newFixture(t)
	p.write("a", "a")
	p.commit("packed")
	p.git("commit", "-q", "--allow-empty", "-m", "packed too")
	p.git("gc", "-q")

	all := []string{"dir/b", "keep", "na\nme\xff"}
	tests := []struct {
		name, old, new string
		want           []string
	}{
		{"update", root, main, []string{"dir/b", "gone", "na\nme\xff"}},
		{"back", main, root, []string{"dir/b", "gone", "na\nme\xff"}},
		{"nothing", main, main, []string{}},
		{"a commit that changes nothing", main, same, []string{}},
		{"new branch that changes nothing", zeros, aside, []string{}},
		{"forced", topic, main, []string{"dir/b", "gone", "na\nme\xff", "topic"}},
		{"new branch", zeros, topic, []string{"topic"}},
		{"new annotated tag", zeros, "v1", []string{"topic"}},
		{"the default branch itself", zeros, main, all},
		{"new branch without commits of its own", zeros, root, []string{"dir/b", "gone", "keep"}},
		{"new branch that shares nothing", zeros, alone, []string{"dir/b", "gone", "keep", "topic"}},
		{"old is gone", "1234567890123456789012345678901234567890", topic, []string{"topic"}},
	}
	r := f.open()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := r.ChangedFiles(context.Background(), tt.old, tt.new)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := r.ChangedFiles(context.Background(), zeros, blob); err == nil {
		t.Error("no error for a blob")
	}
	got, err := p.open().ChangedFiles(context.Background(), p.git("rev-parse", "HEAD^"), p.git("rev-parse", "HEAD"))
	if diff := cmp.Diff([]string{}, got); diff != "" || err != nil {
		t.Errorf("nothing, packed: %v %s", err, diff)
	}
	// HEAD of a fresh bare repository may name a branch that does not exist.
	f.git("symbolic-ref", "HEAD", "refs/heads/unborn")
	got, err = r.ChangedFiles(context.Background(), zeros, main)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(all, got); diff != "" {
		t.Error(diff)
	}
}

func TestMessage(t *testing.T) {
	f := newFixture(t)
	f.commit("subject\n\nbody: π\n")
	f.git("tag", "-a", "-m", "not this", "v1")
	o := f.objects()
	if _, _, got, err := o.Commit("v1"); err != nil || got != "subject\n\nbody: π\n" {
		t.Errorf("Commit: %q %v", got, err)
	}
	if _, _, _, err := o.Commit("none"); err == nil {
		t.Error("no error for a missing commit")
	}
}

func TestParseMessage(t *testing.T) {
	tests := []struct{ name, commit, want string }{
		{"plain", "tree x\nauthor y\n\nmessage\n", "message\n"},
		{"empty", "tree x\n\n", ""},
		{"no message at all", "tree x\n", ""},
		{"latin-1", "tree x\nencoding ISO-8859-1\n\nna\xefve", "naïve"},
		{"unknown encoding", "tree x\nencoding KOI8-R\n\n\xc1b", "\uFFFDb"},
		{"header in the message", "tree x\n\nencoding latin1\n\n\xff", "encoding latin1\n\n\uFFFD"},
	}
	for _, tt := range tests {
		if got := parseMessage([]byte(tt.commit)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestConfig(t *testing.T) {
	f := newFixture(t)
	f.git("config", "quire.Root", "/srv/one")
	f.git("config", "--add", "quire.root", "/srv/two\nlines")
	f.git("config", "filter.LFS.smudge", "x")
	f.write(".git/more", "[quire]\n\tflag\n")
	f.git("config", "include.path", "more")
	r := f.open()
	tests := []struct {
		key, want string
		ok        bool
	}{
		{"quire.root", "/srv/two\nlines", true},
		{"QUIRE.ROOT", "/srv/two\nlines", true},
		{"filter.LFS.SMUDGE", "x", true},
		{"filter.lfs.smudge", "", false},
		{"quire.flag", "true", true},
		{"quire.none", "", false},
		{"nonsense", "", false},
	}
	for _, tt := range tests {
		got, ok, err := r.Config(tt.key)
		if err != nil || got != tt.want || ok != tt.ok {
			t.Errorf("Config(%s): %q %v %v", tt.key, got, ok, err)
		}
	}
	f.write(".git/config", "[broken\n")
	if _, _, err := f.open().Config("a.b"); err == nil {
		t.Error("no error for a broken configuration")
	}
}

func TestRefsAndTag(t *testing.T) {
	f := newFixture(t)
	one := f.commit("one")
	two := f.commit("two")
	r, ctx := f.open(), context.Background()
	if err := r.Tag(ctx, "build/1", one); err != nil {
		t.Fatal(err)
	}
	if err := r.Tag(ctx, "build/1", one); err != nil {
		t.Errorf("the same tag again: %v", err)
	}
	if err := r.Tag(ctx, "build/1", two); err == nil {
		t.Error("a tag was moved")
	}
	for _, name := range []string{"", "-", "a..b", "a b", "../heads/main", "build"} {
		if err := r.Tag(ctx, name, two); err == nil && name != "-" {
			t.Errorf("tag %q was made", name)
		}
	}
	got, err := r.Refs(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want := []Ref{{"refs/heads/main", two}, {"refs/tags/-", two}, {"refs/tags/build/1", one}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got, err = r.Refs(ctx, "refs/heads/")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want[:1], got); diff != "" {
		t.Error(diff)
	}
}
