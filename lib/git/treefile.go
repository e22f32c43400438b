package git

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"time"
)

// entryInfo is the fs.FileInfo of an entry. A tree knows no times.
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

// treeEntry is the fs.DirEntry of an entry, whose size is asked for when needed.
type treeEntry struct {
	Entry
	fs *treeFS
}

func (e treeEntry) Name() string               { return e.Entry.Name }
func (e treeEntry) IsDir() bool                { return e.FileMode().IsDir() }
func (e treeEntry) Type() fs.FileMode          { return e.FileMode().Type() }
func (e treeEntry) Info() (fs.FileInfo, error) { return e.fs.info(e.Entry) }

// treeFile is an open file of a Tree.
type treeFile struct {
	*bytes.Reader
	info entryInfo
}

func (f *treeFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *treeFile) Close() error               { return nil }

// treeDir is an open directory of a Tree.
type treeDir struct {
	path string
	info entryInfo
	left []fs.DirEntry // those not read yet
}

func (d *treeDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *treeDir) Close() error               { return nil }

func (d *treeDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.path, Err: errors.New("is a directory")}
}

// ReadDir implements fs.ReadDirFile.
func (d *treeDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n > 0 && len(d.left) == 0 {
		return nil, io.EOF
	}
	if n <= 0 || n > len(d.left) {
		n = len(d.left)
	}
	out := d.left[:n]
	d.left = d.left[n:]
	return out, nil
}
