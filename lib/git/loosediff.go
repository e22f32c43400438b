package git

import "path"

// maxCompared is how many pairs of trees are compared here. A few small trees that
// hold each other many times are a tree without an end.
const maxCompared = 1000

// changed lists the files that differ between the trees that two ids lead to, as
// `git diff-tree -r --no-renames --name-only` does, in no order. It is errAskGit
// where a tree is needed that is not loose: between the commits of a push nearly all
// are, and what did not change is not looked at.
func (s *looseStore) changed(old, new string) ([]string, error) {
	before, err := s.peel(old, "tree")
	if err != nil {
		return nil, errAskGit
	}
	after, err := s.peel(new, "tree")
	if err != nil {
		return nil, errAskGit
	}
	type pair struct{ dir, old, new string } // "" for no tree
	var files []string
	pairs := []pair{{"", before.OID, after.OID}}
	for i := 0; i < len(pairs); i++ {
		if i == maxCompared {
			return nil, errAskGit
		}
		p := pairs[i]
		old, err := s.entries(p.old)
		if err != nil {
			return nil, err
		}
		new, err := s.entries(p.new)
		if err != nil {
			return nil, err
		}
		compare := func(name string) {
			o, n := old[name], new[name]
			if o == n {
				return
			}
			full := path.Join(p.dir, name)
			if o.isFile() || n.isFile() {
				files = append(files, full)
			}
			if o.tree() != n.tree() {
				pairs = append(pairs, pair{full, o.tree(), n.tree()})
			}
		}
		for name := range old {
			compare(name)
		}
		for name := range new {
			if _, both := old[name]; !both {
				compare(name)
			}
		}
	}
	return files, nil
}

// entry is what of a tree's entry counts as a change; the zero value is none.
type entry struct {
	kind uint32
	oid  string
}

func (e entry) isFile() bool { return e.kind != 0 && e.kind != ModeTree }

func (e entry) tree() string {
	if e.kind == ModeTree {
		return e.oid
	}
	return ""
}

// entries returns those of a tree by name. It leaves odd ones to git.
func (s *looseStore) entries(tree string) (map[string]entry, error) {
	if tree == "" {
		return nil, nil
	}
	o := s.object(tree)
	if o.err != nil || o.Type != "tree" {
		return nil, errAskGit
	}
	list, err := ParseTree(tree, o.data)
	if err != nil {
		return nil, errAskGit
	}
	entries := make(map[string]entry, len(list))
	for _, e := range list {
		if e.Kind() == 0 || path.Base(e.Name) != e.Name || e.Name == ".." || e.Name == "." {
			return nil, errAskGit
		}
		entries[e.Name] = entry{e.Kind(), e.OID}
	}
	if len(entries) != len(list) {
		return nil, errAskGit
	}
	return entries, nil
}
