package git

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
)

// Limits of a Tree: whoever pushed chose the sizes.
const (
	maxTreeFile  = 64 << 20 // bytes of a file that is read
	maxTreeLinks = 40       // symbolic links on the way to a file, as in Linux
)

// Tree returns a read-only view of a commit's tree, or of any other tree-ish.
// Only what is asked for is read. Symbolic links are followed as in a
// directory that one cannot leave: a link that is absolute or leads out names
// nothing. It implements fs.ReadFileFS, fs.ReadDirFS, fs.StatFS and
// fs.ReadLinkFS, and is good as long as o is.
func (o *Objects) Tree(commit string) fs.ReadLinkFS {
	return &treeFS{objects: o, commit: commit, trees: map[string][]Entry{}}
}

type treeFS struct {
	objects *Objects
	commit  string

	mu    sync.Mutex
	trees map[string][]Entry // by id, those read so far
}

// list returns the entries of the tree oid.
func (t *treeFS) list(oid string) ([]Entry, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if entries, ok := t.trees[oid]; ok {
		return entries, nil
	}
	err := t.objects.Trees([]string{oid}, func(_ int, data []byte) error {
		entries, err := ParseTree(oid, data)
		if err == nil {
			t.trees[oid] = entries
		}
		return err
	})
	return t.trees[oid], err
}

// find walks to name. A link at its end is followed if follow says so; links on
// the way always are.
func (t *treeFS) find(name string, follow bool) (Entry, error) {
	if !fs.ValidPath(name) {
		return Entry{}, fs.ErrInvalid
	}
	oid, _, _, err := t.objects.Info(t.commit + "^{tree}")
	if err != nil {
		return Entry{}, err
	}
	root := Entry{Name: ".", Mode: ModeTree, OID: oid}
	way := []Entry{root} // from the root to where we are
	rest := strings.Split(name, "/")
	for links := 0; len(rest) > 0; {
		step := rest[0]
		rest = rest[1:]
		switch step {
		case "", ".":
			continue
		case "..": // of a link's text: ValidPath has none
			if len(way) == 1 {
				return Entry{}, fs.ErrNotExist
			}
			way = way[:len(way)-1]
			continue
		}
		e, err := t.child(way[len(way)-1], step)
		if err != nil {
			return Entry{}, err
		}
		if e.Kind() != ModeLink || len(rest) == 0 && !follow {
			way = append(way, e)
			continue
		}
		if links++; links > maxTreeLinks {
			return Entry{}, errors.New("too many symbolic links")
		}
		target, err := t.read(e)
		if err != nil {
			return Entry{}, err
		}
		if strings.HasPrefix(string(target), "/") {
			return Entry{}, fs.ErrNotExist
		}
		rest = append(strings.Split(string(target), "/"), rest...)
	}
	return way[len(way)-1], nil
}

func (t *treeFS) child(dir Entry, name string) (Entry, error) {
	if dir.Kind() != ModeTree {
		return Entry{}, fs.ErrNotExist
	}
	entries, err := t.list(dir.OID)
	if err != nil {
		return Entry{}, err
	}
	for _, e := range entries {
		if e.Name == name {
			return e, nil
		}
	}
	return Entry{}, fs.ErrNotExist
}

func (t *treeFS) read(e Entry) ([]byte, error) {
	if e.FileMode().IsDir() {
		return nil, errors.New("is a directory")
	}
	return t.objects.Read(e.OID, maxTreeFile)
}

func (t *treeFS) info(e Entry) (fs.FileInfo, error) {
	info := entryInfo{Entry: e}
	if !e.FileMode().IsDir() {
		_, _, size, err := t.objects.Info(e.OID)
		if err != nil {
			return nil, err
		}
		info.size = size
	}
	return info, nil
}

// Open opens a file or a directory.
func (t *treeFS) Open(name string) (fs.File, error) {
	e, err := t.find(name, true)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	info := entryInfo{Entry: e}
	info.Entry.Name = path.Base(name)
	if e.FileMode().IsDir() {
		entries, err := t.dirEntries(e)
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		return &treeDir{path: name, info: info, left: entries}, nil
	}
	data, err := t.read(e)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	info.size = int64(len(data))
	return &treeFile{Reader: bytes.NewReader(data), info: info}, nil
}

// ReadFile returns the contents of a file.
func (t *treeFS) ReadFile(name string) ([]byte, error) {
	e, err := t.find(name, true)
	if err == nil {
		var data []byte
		if data, err = t.read(e); err == nil {
			return data, nil
		}
	}
	return nil, &fs.PathError{Op: "read", Path: name, Err: err}
}

// Stat tells of a file, without reading it.
func (t *treeFS) Stat(name string) (fs.FileInfo, error) { return t.stat("stat", name, true) }

// Lstat is Stat, but of a link itself.
func (t *treeFS) Lstat(name string) (fs.FileInfo, error) { return t.stat("lstat", name, false) }

func (t *treeFS) stat(op, name string, follow bool) (fs.FileInfo, error) {
	e, err := t.find(name, follow)
	if err == nil {
		var info fs.FileInfo
		e.Name = path.Base(name)
		if info, err = t.info(e); err == nil {
			return info, nil
		}
	}
	return nil, &fs.PathError{Op: op, Path: name, Err: err}
}

// ReadLink returns the text of a symbolic link.
func (t *treeFS) ReadLink(name string) (string, error) {
	e, err := t.find(name, false)
	if err == nil && e.Kind() != ModeLink {
		err = fs.ErrInvalid
	}
	if err == nil {
		var target []byte
		if target, err = t.read(e); err == nil {
			return string(target), nil
		}
	}
	return "", &fs.PathError{Op: "readlink", Path: name, Err: err}
}

// ReadDir lists a directory, sorted by name.
func (t *treeFS) ReadDir(name string) ([]fs.DirEntry, error) {
	e, err := t.find(name, true)
	if err == nil {
		var entries []fs.DirEntry
		if entries, err = t.dirEntries(e); err == nil {
			return entries, nil
		}
	}
	return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
}

func (t *treeFS) dirEntries(dir Entry) ([]fs.DirEntry, error) {
	if dir.Kind() == ModeSubmodule {
		return nil, nil
	}
	if dir.Kind() != ModeTree {
		return nil, errors.New("not a directory")
	}
	list, err := t.list(dir.OID)
	if err != nil {
		return nil, err
	}
	entries := make([]fs.DirEntry, len(list))
	for i, e := range list {
		entries[i] = treeEntry{Entry: e, fs: t}
	}
	// Git sorts a directory as if its name ended with a slash.
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}
