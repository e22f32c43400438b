package direct

import "path"

// maxCompared bounds how many pairs of trees are compared here: a few small trees that
// contain each other many times would take forever.
const maxCompared = 1000

// Changed returns the files that differ between the trees of two ids, in no order, like
// `git diff-tree -r --no-renames --name-only`. The error is ErrAskGit, for example if a tree
// is not loose. Nearly all trees that differ between the commits of a push are loose.
func (s *Objects) Changed(old, new string) ([]string, error) {
	before, err := s.peel(old, "tree")
	if err != nil {
		return nil, ErrAskGit
	}
	after, err := s.peel(new, "tree")
	if err != nil {
		return nil, ErrAskGit
	}
	type pair struct{ dir, old, new string } // "" for no tree
	var files []string
	pairs := []pair{{"", before.OID, after.OID}}
	for i := 0; i < len(pairs); i++ {
		if i == maxCompared {
			return nil, ErrAskGit
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

// entry is the part of a tree's entry that counts as a change. The zero value means that the
// tree does not have the name.
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

// entries returns the entries of a tree by name. If an entry is unusual, the error is
// ErrAskGit.
func (s *Objects) entries(tree string) (map[string]entry, error) {
	if tree == "" {
		return nil, nil
	}
	o := s.object(tree)
	if o.err != nil || o.Type != "tree" {
		return nil, ErrAskGit
	}
	list, err := ParseTree(tree, o.Data)
	if err != nil {
		return nil, ErrAskGit
	}
	entries := make(map[string]entry, len(list))
	for _, e := range list {
		if e.Kind() == 0 || path.Base(e.Name) != e.Name || e.Name == ".." || e.Name == "." {
			return nil, ErrAskGit
		}
		entries[e.Name] = entry{e.Kind(), e.OID}
	}
	if len(entries) != len(list) {
		return nil, ErrAskGit
	}
	return entries, nil
}
