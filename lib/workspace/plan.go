package workspace

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"quire/lib/git"
)

// Limits of a plan: whoever pushed chose the sizes, and a few small trees that
// hold each other many times make more files than any disk holds.
const (
	maxEntries = 4 << 20
	maxPath    = 4095 // bytes, PATH_MAX without its NUL
)

// A plan is a tree as it will be on disk. Both lists are in the order of a walk
// that takes directories as they come: packs are laid out much like it.
type plan struct {
	dirs    []dir            // parents first; the first is the root
	files   []file           // regular files and symbolic links, those of a directory together
	modules []git.IndexEntry // submodules, of which dirs has the directories
	trees   trees            // the objects it was made of
}

type dir struct {
	path   string  // relative to the root, which is "."
	parent int32   // index in dirs; 0 of the root
	oid    string  // of the tree object; "" of a submodule
	files  [2]int  // where those in it begin and end in files
	subs   []int32 // the directories in it, by index
}

type file struct {
	dir  int32 // index in dirs
	mode uint32
	name string
	oid  string
}

func (p *plan) path(f *file) string {
	if f.dir == 0 {
		return f.name
	}
	return p.dirs[f.dir].path + "/" + f.name
}

// all returns all files, to be written.
func (p *plan) all() []todo {
	all := make([]todo, len(p.files))
	for i := range all {
		all[i].file = int32(i)
	}
	return all
}

// index returns the entries of an index of the whole tree.
func (p *plan) index() []git.IndexEntry {
	entries := make([]git.IndexEntry, 0, len(p.files)+len(p.modules))
	for i := range p.files {
		f := &p.files[i]
		entries = append(entries, git.IndexEntry{Mode: f.mode, OID: f.oid, Path: p.path(f)})
	}
	return append(entries, p.modules...)
}

// node is a directory while the trees are read.
type node struct {
	path string
	oid  string
	kind uint32 // git.ModeTree or git.ModeSubmodule
	file []file
	sub  []*node
}

// readPlan reads a tree and those in it, a level of directories at a time, so that
// the depth and not the number of trees counts how often git is waited for.
// Git is not asked for those that are known. A tree of more than most entries is
// refused.
func readPlan(objects *git.Objects, known trees, tree string, most int) (*plan, error) {
	root := &node{path: ".", oid: tree, kind: git.ModeTree}
	p := &plan{trees: trees{}}
	count := 0
	for level := []*node{root}; len(level) > 0; {
		var next, asked []*node
		take := func(n *node, data []byte) error {
			entries, err := git.ParseTree(n.oid, data)
			if err != nil {
				return err
			}
			if count += len(entries); count > most {
				return fmt.Errorf("the tree has more than %d entries", most)
			}
			if err := n.add(entries); err != nil {
				return err
			}
			p.trees[n.oid] = data
			for _, sub := range n.sub {
				if sub.kind == git.ModeTree {
					next = append(next, sub)
				}
			}
			return nil
		}
		var oids []string
		for _, n := range level {
			if data, ok := known[n.oid]; !ok {
				asked, oids = append(asked, n), append(oids, n.oid)
			} else if err := take(n, data); err != nil {
				return nil, err
			}
		}
		err := objects.Trees(oids, func(i int, data []byte) error { return take(asked[i], data) })
		if err != nil {
			return nil, err
		}
		level = next
	}
	root.prune()
	p.files = make([]file, 0, count)
	p.flatten(root, 0)
	return p, nil
}

// add takes over the entries of n's tree object.
func (n *node) add(entries []git.Entry) error {
	prefix := n.path + "/"
	if n.path == "." {
		prefix = ""
	}
	twice := firstTwice(entries)
	n.file = make([]file, 0, len(entries))
	for i, e := range entries {
		err := checkEntry(e)
		if err == nil && i == twice {
			err = errors.New("it is there twice")
		}
		if err == nil && len(prefix)+len(e.Name) > maxPath {
			err = errors.New("the path is too long")
		}
		if err != nil {
			return fmt.Errorf("refused entry '%s' of the tree: %w", shorten(prefix+e.Name), err)
		}
		switch e.Kind() {
		case git.ModeTree, git.ModeSubmodule:
			n.sub = append(n.sub, &node{path: prefix + e.Name, oid: e.OID, kind: e.Kind()})
		default:
			n.file = append(n.file, file{mode: e.Kind(), name: e.Name, oid: e.OID})
		}
	}
	return nil
}

// firstTwice returns the index of the first entry whose name one before it has; -1
// for none.
func firstTwice(entries []git.Entry) int {
	ascending := func(i int) bool { return entries[i-1].Name < entries[i].Name }
	i := 1
	for i < len(entries) && ascending(i) { // as in most trees
		i++
	}
	if i >= len(entries) {
		return -1
	}
	seen := make(map[string]struct{}, len(entries))
	for i, e := range entries {
		if _, twice := seen[e.Name]; twice {
			return i
		}
		seen[e.Name] = struct{}{}
	}
	return -1
}

// prune takes away the directories with no file in them, which a working copy never
// has: an index is of files.
func (n *node) prune() {
	n.sub = slices.DeleteFunc(n.sub, func(sub *node) bool {
		sub.prune()
		return sub.kind == git.ModeTree && len(sub.file) == 0 && len(sub.sub) == 0
	})
}

// flatten appends n and what is below it.
func (p *plan) flatten(n *node, parent int32) {
	index := int32(len(p.dirs))
	first := len(p.files)
	p.dirs = append(p.dirs, dir{path: n.path, parent: parent, oid: n.oid, files: [2]int{first, first + len(n.file)}})
	if n.kind == git.ModeSubmodule {
		p.dirs[index].oid = ""
		p.modules = append(p.modules, git.IndexEntry{Mode: n.kind, OID: n.oid, Path: n.path})
	}
	for _, f := range n.file {
		f.dir = index
		p.files = append(p.files, f)
	}
	subs := make([]int32, len(n.sub))
	for i, sub := range n.sub {
		subs[i] = int32(len(p.dirs))
		p.flatten(sub, index)
	}
	p.dirs[index].subs = subs
}

// shorten keeps an error readable whatever the length of a path.
func shorten(path string) string {
	const most = 200
	if len(path) > most {
		path = path[:most] + "..."
	}
	return strings.ToValidUTF8(path, "?")
}
