package git

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"quire/lib/file"
)

// A looseStore answers questions about objects that are in files of their own,
// see gitrepository-layout(5) under "objects/[0-9a-f][0-9a-f]", without a process.
// So are those of nearly every push (receive.unpackLimit in git-config(1)), and a
// hook that asks about one commit would spend more time on starting git than on
// all else. Whatever is anything else, in a pack, borrowed, large or damaged, is
// git's to answer: errAskGit.
type looseStore struct {
	dir  string
	read map[string]looseObject // by id, what is not a blob and was asked about
	blob looseObject            // the last that was: first its size is asked for, then it
	in   inflater
}

func (r *Repo) newLooseStore() *looseStore {
	return &looseStore{dir: filepath.Join(r.CommonDir(), "objects"), read: map[string]looseObject{}}
}

type looseObject struct {
	Info
	data []byte
	err  error
}

const (
	// strangers is how many questions of a call may be looked up here in vain. Who
	// asks about objects in packs has them all there, mostly, and git is started anyway.
	strangers = 4
	// maxLoose is the size of an object from which on git reads it, in bytes, and
	// maxFound that of all that a call finds.
	maxLoose, maxFound = 1 << 20, 8 << 20
)

var errAskGit = errors.New("not a loose object")

// find returns what spec names. The error is ErrMissing where that is certain, and
// else errAskGit.
func (s *looseStore) find(spec string) (looseObject, error) {
	name, path, hasPath := strings.Cut(spec, ":")
	id, kind, peeled := strings.Cut(name, "^")
	if !isID(id) || peeled && kind != "{commit}" && kind != "{tree}" ||
		hasPath && (path == "." || !fs.ValidPath(path)) {
		return looseObject{}, errAskGit
	}
	o, err := s.peel(id, strings.Trim(kind, "{}"))
	if err != nil {
		return looseObject{}, err
	}
	if !hasPath {
		return o, nil
	}
	for step := range strings.SplitSeq(path, "/") {
		if o, err = s.peel(o.OID, "tree"); err == nil {
			o, err = s.child(o, step)
		}
		if err != nil {
			return looseObject{}, err
		}
	}
	return o, nil
}

// peel returns the object id, or what it leads to that is of the kind; "" is any.
func (s *looseStore) peel(id, kind string) (looseObject, error) {
	for {
		o := s.object(id)
		if o.err != nil || kind == "" || o.Type == kind {
			return o, o.err
		}
		var header string // of the line that leads on
		switch o.Type {
		case "tag":
			header = "object "
		case "commit":
			header = "tree "
		default:
			return looseObject{}, ErrMissing
		}
		line, _, _ := strings.Cut(string(o.data), "\n")
		next, ok := strings.CutPrefix(line, header)
		if !ok || len(next) != len(id) || !isID(next) {
			return looseObject{}, errAskGit
		}
		id = next
	}
}

// child returns the entry of a tree.
func (s *looseStore) child(tree looseObject, name string) (looseObject, error) {
	entries, err := ParseTree(tree.OID, tree.data)
	if err != nil {
		return looseObject{}, errAskGit
	}
	for _, e := range entries {
		if e.Name == name && e.Kind() == ModeSubmodule {
			return looseObject{}, errAskGit
		}
		if e.Name == name {
			o := s.object(e.OID)
			return o, o.err
		}
	}
	return looseObject{}, ErrMissing
}

// object reads an object; one that leads to others, once.
func (s *looseStore) object(id string) looseObject {
	if o, ok := s.read[id]; ok {
		return o
	}
	if s.blob.OID == id {
		return s.blob
	}
	o, err := s.load(id)
	if err != nil {
		o = looseObject{err: errAskGit}
	}
	if o.Type == "blob" {
		s.blob = o
	} else {
		s.read[id] = o
	}
	return o
}

// inflater decompresses a file after the other.
type inflater struct {
	file   bufio.Reader
	stream io.ReadCloser // nil before the first
}

// read returns what f has, decompressed, up to most bytes.
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

// load reads the object from its file, and checks that it is what its name says.
func (s *looseStore) load(id string) (looseObject, error) {
	if ObjectID(id, "tree", nil) == id {
		return looseObject{Info: Info{OID: id, Type: "tree"}}, nil // git knows it without a file
	}
	f, err := file.Open(filepath.Join(s.dir, id[:2], id[2:]))
	if err != nil {
		return looseObject{}, err
	}
	defer f.Close()
	text, err := s.in.read(f, maxLoose+1)
	if err != nil {
		return looseObject{}, err
	}
	header, data, ok := bytes.Cut(text, []byte{0})
	kind, length, _ := strings.Cut(string(header), " ")
	size, err := strconv.Atoi(length)
	if !ok || err != nil || size != len(data) {
		return looseObject{}, fmt.Errorf("object %s is damaged or large", id)
	}
	if ObjectID(id, kind, data) != id {
		return looseObject{}, fmt.Errorf("object %s is damaged", id)
	}
	return looseObject{Info: Info{OID: id, Type: kind, Size: int64(size)}, data: data}, nil
}
