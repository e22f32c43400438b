package git

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quire/lib/git/direct"
)

func TestChangedEqualsGit(t *testing.T) {
	f := newFixture(t)
	one := f.gitIn("one", "hash-object", "-w", "--stdin")
	two := f.gitIn("two", "hash-object", "-w", "--stdin")
	tree := func(lines ...string) string { return f.gitIn(strings.Join(lines, ""), "mktree", "--missing", "-z") }
	file := func(name, id string) string { return fmt.Sprintf("100644 blob %s\t%s\x00", id, name) }
	dir := func(name, id string) string { return fmt.Sprintf("040000 tree %s\t%s\x00", id, name) }
	deep := tree(dir("deeper", tree(file("a", one), file("b", two))))
	trees := []string{
		tree(),
		tree(file("a", one)),
		tree(file("a", two)),
		tree(fmt.Sprintf("100755 blob %s\ta\x00", one)),
		tree(fmt.Sprintf("120000 blob %s\ta\x00", one)),
		tree(fmt.Sprintf("160000 commit %s\ta\x00", strings.Repeat("1", 40))),
		tree(dir("a", tree(file("a", one)))),
		tree(dir("a", tree())),
		tree(dir("a", deep), file("b", one)),
		tree(dir("a", deep), dir("b", deep)),
		tree(dir("a", tree(dir("deeper", tree(file("a", two))))), file("\xff \n", one)),
	}
	for i, tree := range trees {
		trees[i] = f.git("commit-tree", "-m", "m", tree)
	}
	for _, old := range trees {
		for _, new := range trees {
			got, err := f.loose().Changed(old, new)
			if err != nil {
				t.Fatal(err)
			}
			got = sorted(got)
			want, err := f.open().diffTree(context.Background(), old, new)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s %s: %s", old, new, diff)
			}
		}
	}
	bomb := tree(file("a", one))
	for range 20 {
		bomb = tree(dir("a", bomb), dir("b", bomb))
	}
	if _, err := f.loose().Changed(trees[0], bomb); err != direct.ErrAskGit {
		t.Errorf("of a tree without an end: %v", err)
	}
	for name, ids := range map[string][2]string{
		"no object": {trees[0], strings.Repeat("1", 40)},
		"a blob":    {one, trees[0]},
	} {
		if _, err := f.loose().Changed(ids[0], ids[1]); err != direct.ErrAskGit {
			t.Errorf("of %s: %v", name, err)
		}
	}
}
