package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"quire/lib/diag"
	"quire/lib/fennel"
)

// Files are the files of a commit or a workspace.
type Files interface {
	fs.FS

	// Lstat describes a file, a directory or a symbolic link.
	Lstat(name string) (fs.FileInfo, error)
}

// A tree is the files of a commit or a workspace, with those read so far.
type tree struct {
	fsys  Files
	files map[string]*file
	dirs  []string // the directories found, no symbolic link above them
}

// A file is one file of the pipeline.
type file struct {
	name  string
	text  []byte
	forms []fennel.Node // of a Fennel file, after compiling
}

func newTree(fsys Files) *tree { return &tree{fsys: fsys, files: map[string]*file{}} }

// find reads the pipeline's main file.
func (t *tree) find() (*file, error) {
	names := []string{}
	var found fs.FileInfo
	for _, name := range []string{Fennel, Lua} {
		info, err := t.look(name)
		if err != nil {
			return nil, fmt.Errorf("cannot look for a pipeline: %w", err)
		}
		if info != nil {
			names, found = append(names, name), info
		}
	}
	switch len(names) {
	case 0:
		return nil, ErrNone
	case 1:
		return t.open(names[0], found)
	}
	return nil, diag.List{{File: Fennel, Message: fmt.Sprintf("'%s' and '%s' both exist", Fennel, Lua), Hint: "keep one of them"}}
}

// look describes the file of that name. It returns nil if there is none. It does not
// follow symbolic links, even in the directories above: a pipeline must be the same in a
// workspace and in Git's objects, and links lead somewhere only in a workspace.
func (t *tree) look(name string) (fs.FileInfo, error) {
	for dir := path.Dir(name); dir != "." && !slices.Contains(t.dirs, dir); dir = path.Dir(dir) {
		info, err := t.fsys.Lstat(dir)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
	if dir := path.Dir(name); !slices.Contains(t.dirs, dir) {
		t.dirs = append(t.dirs, dir)
	}
	info, err := t.fsys.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return info, err
}

// open reads a file that look has found. If the file cannot be a program, the error is a
// diag.List.
func (t *tree) open(name string, info fs.FileInfo) (*file, error) {
	if f := t.files[name]; f != nil {
		return f, nil
	}
	if !info.Mode().IsRegular() {
		return nil, diag.List{{File: name, Message: "is not a regular file"}}
	}
	r, err := t.fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read '%s': %w", name, err)
	}
	defer r.Close()
	size := min(info.Size(), maxSize) // a hint: another process may be writing the file
	b := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
	if _, err := b.ReadFrom(io.LimitReader(r, maxSize+1)); err != nil {
		return nil, fmt.Errorf("cannot read '%s': %w", name, err)
	}
	text := b.Bytes()
	if len(text) > maxSize {
		return nil, diag.List{{File: name, Message: fmt.Sprintf("is larger than %d KiB", maxSize>>10)}}
	}
	f := &file{name: name, text: withoutMark(text)}
	if at := bytes.IndexByte(text, 0); at >= 0 {
		line := 1 + bytes.Count(text[:at], []byte("\n"))
		return nil, diag.List{f.diagnostic(line, f.column(at), "is a binary file: it holds a zero byte")}
	}
	t.files[name] = f
	return f, nil
}

// withoutMark drops a byte order mark.
func withoutMark(text []byte) []byte { return bytes.TrimPrefix(text, []byte("\ufeff")) }

// isFennel reports whether f is Fennel rather than Lua.
func (f *file) isFennel() bool {
	return strings.HasSuffix(f.name, ".fnl") || strings.HasSuffix(f.name, ".fnlm")
}

// column returns the column, in characters, of the byte at an offset.
func (f *file) column(at int) int {
	start := bytes.LastIndexByte(f.text[:at], '\n') + 1
	return 1 + utf8.RuneCount(f.text[start:at])
}

// indent returns the column of the first nonblank character of a line.
func (f *file) indent(line int) int {
	text := diag.SourceLine(f.text, line)
	return 1 + len(text) - len(strings.TrimLeft(text, " \t"))
}

func (f *file) diagnostic(line, column int, format string, args ...any) diag.Diagnostic {
	return diag.Diagnostic{
		File: f.name, Line: line, Column: column,
		Message: fmt.Sprintf(format, args...), Source: diag.SourceLine(f.text, line),
	}
}
