package direct

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"quire/lib/file"
)

// Objects reads the loose objects of a repository, see gitrepository-layout(5) under
// "objects/[0-9a-f][0-9a-f]". It is not safe for concurrent use.
type Objects struct {
	dirs []string
	read map[string]Object // the objects read so far, by id, except blobs
	blob Object            // the last blob: callers ask for its size and then for its data
	in   inflater
}

// NewObjects returns a reader of the objects in some directories, such as objects/ of a
// repository.
func NewObjects(dirs ...string) *Objects {
	return &Objects{dirs: dirs, read: map[string]Object{}}
}

// Info describes an object.
type Info struct {
	OID  string // full, in hexadecimal
	Type string // commit, tree, blob or tag
	Size int64  // in bytes
}

// An Object is an object with its contents.
type Object struct {
	Info
	Data []byte
	err  error
}

// maxSize is the size in bytes of the largest object that is read here.
const maxSize = 1 << 20

var (
	// ErrAskGit is the error for a question that only git can answer.
	ErrAskGit = errors.New("only git knows")
	// ErrMissing is the error for an object that certainly does not exist.
	ErrMissing = errors.New("no such object")
)

// Find returns the object that spec names: an id, perhaps followed by ^{commit} or
// ^{tree}, perhaps followed by a colon and a path. The error is ErrMissing or ErrAskGit.
func (s *Objects) Find(spec string) (Object, error) {
	name, path, hasPath := strings.Cut(spec, ":")
	id, kind, peeled := strings.Cut(name, "^")
	if !IsID(id) || peeled && kind != "{commit}" && kind != "{tree}" ||
		hasPath && (path == "." || !fs.ValidPath(path)) {
		return Object{}, ErrAskGit
	}
	o, err := s.peel(id, strings.Trim(kind, "{}"))
	if err != nil {
		return Object{}, err
	}
	if !hasPath {
		return o, nil
	}
	for step := range strings.SplitSeq(path, "/") {
		if o, err = s.peel(o.OID, "tree"); err == nil {
			o, err = s.child(o, step)
		}
		if err != nil {
			return Object{}, err
		}
	}
	return o, nil
}

// peel returns the object id if it is of the kind, or if kind is "". Otherwise it follows
// tags and commits to an object of the kind.
func (s *Objects) peel(id, kind string) (Object, error) {
	for {
		o := s.object(id)
		if o.err != nil || kind == "" || o.Type == kind {
			return o, o.err
		}
		var header string // of the line with the next id
		switch o.Type {
		case "tag":
			header = "object "
		case "commit":
			header = "tree "
		default:
			return Object{}, ErrMissing
		}
		line, _, _ := strings.Cut(string(o.Data), "\n")
		next, ok := strings.CutPrefix(line, header)
		if !ok || len(next) != len(id) || !IsID(next) {
			return Object{}, ErrAskGit
		}
		id = next
	}
}

// child returns the entry of a tree.
func (s *Objects) child(tree Object, name string) (Object, error) {
	entries, err := ParseTree(tree.OID, tree.Data)
	if err != nil {
		return Object{}, ErrAskGit
	}
	for _, e := range entries {
		if e.Name == name && e.Kind() == ModeSubmodule {
			return Object{}, ErrAskGit
		}
		if e.Name == name {
			o := s.object(e.OID)
			return o, o.err
		}
	}
	return Object{}, ErrMissing
}

// object returns an object. It reads a tree, commit or tag only once.
func (s *Objects) object(id string) Object {
	if o, ok := s.read[id]; ok {
		return o
	}
	if s.blob.OID == id {
		return s.blob
	}
	o, err := s.load(id)
	if err != nil {
		o = Object{err: ErrAskGit}
	}
	if o.Type == "blob" {
		s.blob = o
	} else {
		s.read[id] = o
	}
	return o
}

// An inflater decompresses one file after another.
type inflater struct {
	file   bufio.Reader
	stream io.ReadCloser // nil before the first
}

// read returns the decompressed content of f, but at most most bytes.
func (in *inflater) read(f io.Reader, most int64) ([]byte, error) {
	in.file.Reset(f)
	var err error
	if in.stream == nil {
		in.stream, err = zlib.NewReader(&in.file)
	} else {
		err = in.stream.(zlib.Resetter).Reset(&in.file, nil)
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(in.stream, most))
}

// load reads the object from its file and checks that its data has its id.
func (s *Objects) load(id string) (Object, error) {
	if ObjectID(id, "tree", nil) == id {
		return Object{Info: Info{OID: id, Type: "tree"}}, nil // git knows it without a file
	}
	var f *os.File
	var err error
	for _, dir := range s.dirs {
		if f, err = file.Open(filepath.Join(dir, id[:2], id[2:])); err == nil {
			break
		}
	}
	if f == nil {
		return Object{}, err
	}
	defer f.Close()
	text, err := s.in.read(f, maxSize+1)
	if err != nil {
		return Object{}, err
	}
	header, data, ok := bytes.Cut(text, []byte{0})
	kind, length, _ := strings.Cut(string(header), " ")
	size, err := strconv.Atoi(length)
	if !ok || err != nil || size != len(data) {
		return Object{}, fmt.Errorf("object %s is damaged or large", id)
	}
	if ObjectID(id, kind, data) != id {
		return Object{}, fmt.Errorf("object %s is damaged", id)
	}
	return Object{Info: Info{OID: id, Type: kind, Size: int64(size)}, Data: data}, nil
}
