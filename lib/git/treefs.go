package git

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// maxTreeFile bounds the size in bytes of a file that a Tree reads, because the pusher
// chose it.
const maxTreeFile = 64 << 20

// A Tree gives access to the files of a commit. It reads a file when it is opened, and does
// not follow symbolic links. It works until its Objects is closed, and is not safe for
// concurrent use.
type Tree struct {
	objects *Objects
	commit  string
	trees   map[string][]Entry // the trees read so far, by id
}

// Tree returns the files of a commit, or of another tree-ish.
func (o *Objects) Tree(commit string) *Tree {
	return &Tree{objects: o, commit: commit, trees: map[string][]Entry{}}
}

// Open opens a regular file for reading. The error is an *fs.PathError.
func (t *Tree) Open(name string) (fs.File, error) {
	e, err := t.find(name)
	if err == nil && !e.FileMode().IsRegular() {
		err = errors.New("not a regular file")
	}
	var data []byte
	if err == nil {
		data, err = t.objects.Read(e.OID, maxTreeFile)
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &treeFile{bytes.NewReader(data), entryInfo{e, int64(len(data))}}, nil
}

// Lstat describes a file, a directory or a symbolic link. The error is an *fs.PathError.
func (t *Tree) Lstat(name string) (fs.FileInfo, error) {
	e, err := t.find(name)
	var info Info
	if err == nil && !e.FileMode().IsDir() {
		info, err = t.objects.Info(e.OID)
	}
	if err != nil {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: err}
	}
	return entryInfo{e, info.Size}, nil
}

// ReadDir returns the entries of a directory, without the sizes of files. The error is an
// *fs.PathError.
func (t *Tree) ReadDir(name string) ([]fs.DirEntry, error) {
	e, err := t.find(name)
	if err == nil && e.Kind() != ModeTree {
		err = errors.New("not a directory")
	}
	var entries []Entry
	if err == nil {
		entries, err = t.list(e.OID)
	}
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	infos := make([]fs.DirEntry, len(entries))
	for i, e := range entries {
		infos[i] = fs.FileInfoToDirEntry(entryInfo{e, 0})
	}
	return infos, nil
}

// find returns the entry of a file. If the file does not exist, or a directory above it is a
// symbolic link, the error is fs.ErrNotExist.
func (t *Tree) find(name string) (Entry, error) {
	if !fs.ValidPath(name) {
		return Entry{}, fs.ErrInvalid
	}
	top, err := t.objects.Info(t.commit + "^{tree}")
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Name: ".", Mode: ModeTree, OID: top.OID}
	if name == "." {
		return e, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		if e.Kind() != ModeTree {
			return Entry{}, fs.ErrNotExist
		}
		entries, err := t.list(e.OID)
		if err != nil {
			return Entry{}, err
		}
		i := slices.IndexFunc(entries, func(e Entry) bool { return e.Name == part })
		if i < 0 {
			return Entry{}, fs.ErrNotExist
		}
		e = entries[i]
	}
	return e, nil
}

// list returns the entries of the tree oid.
func (t *Tree) list(oid string) ([]Entry, error) {
	if entries, ok := t.trees[oid]; ok {
		return entries, nil
	}
	err := t.objects.Trees([]string{oid}, func(_ int, data []byte) (err error) {
		t.trees[oid], err = ParseTree(oid, data)
		return err
	})
	return t.trees[oid], err
}

// entryInfo is the fs.FileInfo of an entry. A tree has no times.
type entryInfo struct {
	Entry
	size int64
}

func (i entryInfo) Name() string       { return i.Entry.Name }
func (i entryInfo) Size() int64        { return i.size }
func (i entryInfo) Mode() fs.FileMode  { return i.Entry.FileMode() }
func (i entryInfo) ModTime() time.Time { return time.Time{} }
func (i entryInfo) IsDir() bool        { return i.Mode().IsDir() }
func (i entryInfo) Sys() any           { return nil }

// treeFile is an open file of a Tree.
type treeFile struct {
	*bytes.Reader
	info entryInfo
}

func (f *treeFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *treeFile) Close() error               { return nil }
