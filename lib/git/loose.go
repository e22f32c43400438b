package git

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A looseStore answers questions about objects that are in files of their own,
// see gitrepository-layout(5) under "objects/[0-9a-f][0-9a-f]", without a process.
// So are those of nearly every push (receive.unpackLimit in git-config(1)), and a
// hook that asks about one commit would spend more time on starting git than on
// all else. Whatever is anything else, in a pack, borrowed, large or damaged, is
// git's to answer: errAskGit.
type looseStore struct {
	dir  string
	read map[string]looseObject // by id, those asked about so far
}

type looseObject struct {
	Info
	data []byte
	err  error
}

const (
	// few is how many questions at once are looked up here. Of many, most are
	// about objects in packs, and git's start matters little.
	few = 64
	// maxLoose is the size of an object from which on git reads it, in bytes.
	maxLoose = 1 << 20
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
	entries, err := ParseTree(tree.data, len(tree.OID)/2)
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

// object reads an object, once.
func (s *looseStore) object(id string) looseObject {
	o, ok := s.read[id]
	if !ok {
		var err error
		if o, err = readLoose(s.dir, id); err != nil {
			o = looseObject{err: errAskGit}
		}
		s.read[id] = o
	}
	return o
}

// readLoose reads the object from its file below dir, and checks that it is what
// its name says.
func readLoose(dir, id string) (looseObject, error) {
	if isSum(id, "tree", nil) {
		return looseObject{Info: Info{OID: id, Type: "tree"}}, nil // git knows it without a file
	}
	f, err := os.Open(filepath.Join(dir, id[:2], id[2:]))
	if err != nil {
		return looseObject{}, err
	}
	defer f.Close()
	inflated, err := zlib.NewReader(bufio.NewReader(f))
	if err != nil {
		return looseObject{}, err
	}
	text, err := io.ReadAll(io.LimitReader(inflated, maxLoose+1))
	if err != nil {
		return looseObject{}, err
	}
	header, data, ok := bytes.Cut(text, []byte{0})
	kind, length, _ := strings.Cut(string(header), " ")
	size, err := strconv.Atoi(length)
	if !ok || err != nil || size != len(data) {
		return looseObject{}, fmt.Errorf("object %s is damaged or large", id)
	}
	if !isSum(id, kind, data) {
		return looseObject{}, fmt.Errorf("object %s is damaged", id)
	}
	return looseObject{Info: Info{OID: id, Type: kind, Size: int64(size)}, data: data}, nil
}

// isSum reports whether id, of either hash, is that of an object.
func isSum(id, kind string, data []byte) bool {
	var h hash.Hash = sha1.New()
	if len(id) == 2*sha256.Size {
		h = sha256.New()
	}
	fmt.Fprintf(h, "%s %d\x00", kind, len(data))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil)) == id
}
