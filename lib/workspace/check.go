package workspace

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"quire/lib/git"
)

// Limits of a tree. The pusher chooses the sizes, and a few small trees that contain each
// other many times make more files than fit on any disk.
const (
	maxEntries    = 4 << 20
	maxPath       = 4095    // bytes, PATH_MAX without its NUL
	maxAttributes = 1 << 20 // how many bytes of an attribute file are searched
)

// A check reads the trees of a commit before Git writes it.
type check struct {
	objects *git.Objects
	most    int // entries

	entries    int
	links      []link   // new symbolic links
	attributes []string // ids of the attribute files

	treeProperties
	changed bool // an attribute file differs from the earlier tree
}

// A link is a symbolic link.
type link struct{ path, oid string }

// treeProperties decide how a tree is written.
type treeProperties struct {
	Submodules bool // it may have submodules
	Encodings  bool // an attribute file may set working-tree-encoding
}

const (
	attributeFile = ".gitattributes"
	encodingWord  = "working-tree-encoding"
)

// A pair is a directory of the new tree, and the directory with the same path in the
// earlier tree.
type pair struct {
	path     string // "" or with a slash at the end
	oid, old string // old is "" if the earlier tree does not have the directory
}

// checkTree refuses a tree that Git would never make, or would not write. It does not read
// subtrees again that are at the same path in old, a tree that an earlier call accepted, or
// "".
func checkTree(objects *git.Objects, old, tree string, most int) (*check, error) {
	c := &check{objects: objects, most: most}
	level := []pair{{"", tree, old}}
	for len(level) > 0 {
		next, err := c.level(level)
		if err != nil {
			return nil, err
		}
		level = next
	}
	if err := c.checkLinks(); err != nil {
		return nil, err
	}
	return c, c.readAttributes()
}

// level checks directories and returns their subdirectories that differ from the earlier
// tree. It reads all of them at once, so quire waits for Git once for each level of the tree.
func (c *check) level(pairs []pair) (next []pair, err error) {
	var oids []string
	for _, p := range pairs {
		oids = append(oids, p.oid)
	}
	for _, p := range pairs {
		if p.old != "" {
			oids = append(oids, p.old)
		}
	}
	trees := make([][]git.Entry, len(oids))
	err = c.objects.Trees(oids, func(i int, data []byte) (err error) {
		trees[i], err = git.ParseTree(oids[i], data)
		return err
	})
	if err != nil {
		return nil, err
	}
	olds := trees[len(pairs):]
	for i, p := range pairs {
		old := map[string]git.Entry{}
		if p.old != "" {
			for _, e := range olds[0] {
				old[e.Name] = e
			}
			olds = olds[1:]
		}
		subs, err := c.directory(p, trees[i], old)
		if err != nil {
			return nil, err
		}
		next = append(next, subs...)
	}
	return next, nil
}

// directory checks one directory, and returns its subdirectories that are new.
func (c *check) directory(p pair, entries []git.Entry, old map[string]git.Entry) (subs []pair, err error) {
	if c.entries += len(entries); c.entries > c.most {
		return nil, fmt.Errorf("the tree has more than %d entries", c.most)
	}
	seen := make(map[string]bool, len(entries))
	attributes := git.Entry{}
	for _, e := range entries {
		err := checkEntry(e)
		switch {
		case err != nil:
		case seen[e.Name]:
			err = errors.New("the name occurs twice")
		case len(p.path)+len(e.Name) > maxPath:
			err = errors.New("the path is too long")
		}
		if err != nil {
			return nil, fmt.Errorf("refused entry '%s' of the tree: %w", shorten(p.path+e.Name), err)
		}
		seen[e.Name] = true
		switch e.Kind() {
		case git.ModeTree:
			was := old[e.Name]
			if was.Kind() != git.ModeTree {
				was.OID = ""
			}
			if was.OID != e.OID {
				subs = append(subs, pair{p.path + e.Name + "/", e.OID, was.OID})
			}
		case git.ModeSubmodule:
			c.Submodules = true
		case git.ModeLink:
			if old[e.Name].OID != e.OID {
				c.links = append(c.links, link{p.path + e.Name, e.OID})
			}
		default:
			if e.Name == attributeFile {
				attributes = e
				c.attributes = append(c.attributes, e.OID)
			}
		}
	}
	if p.old != "" {
		was := old[attributeFile]
		c.changed = c.changed || was.OID != attributes.OID || was.Kind() != attributes.Kind()
	}
	return subs, nil
}

// checkLinks refuses symbolic links that no file system can store, or that Git would
// truncate.
func (c *check) checkLinks() error {
	oids := make([]string, len(c.links))
	for i, l := range c.links {
		oids[i] = l.oid
	}
	return c.objects.ReadAll(oids, func(i int, in git.Info, body io.Reader) error {
		var err error
		switch {
		case in.Type != "blob":
			err = fmt.Errorf("its object is a %s", in.Type)
		case in.Size > maxPath:
			err = errors.New("the symbolic link is too long")
		case in.Size == 0:
			err = errors.New("the symbolic link is empty")
		default:
			var text []byte
			text, err = io.ReadAll(body)
			if err == nil && bytes.IndexByte(text, 0) >= 0 {
				err = errors.New("the symbolic link contains a NUL")
			}
		}
		if err != nil {
			return fmt.Errorf("refused entry '%s' of the tree: %w", shorten(c.links[i].path), err)
		}
		return nil
	})
}

// readAttributes searches the attribute files for working-tree-encoding.
func (c *check) readAttributes() error {
	return c.objects.ReadAll(c.attributes, func(_ int, in git.Info, body io.Reader) error {
		text, err := io.ReadAll(io.LimitReader(body, maxAttributes))
		c.Encodings = c.Encodings || in.Size > maxAttributes || bytes.Contains(text, []byte(encodingWord))
		return err
	})
}

// shorten cuts a long path, so that an error stays readable.
func shorten(path string) string {
	const most = 200
	if len(path) > most {
		path = path[:most] + "..."
	}
	return strings.ToValidUTF8(path, "?")
}
