package direct

import (
	"encoding/hex"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"quire/lib/text"
)

// An Entry is one line of a tree object.
type Entry struct {
	Name string // in a crafted tree, any bytes except NUL
	Mode uint32 // one of the Mode constants or, in old and crafted trees, any other
	OID  string
}

// Modes of an Entry, see git-fast-import(1) under "filemodify".
const (
	ModeTree       = 0o040000
	ModeFile       = 0o100644
	ModeExecutable = 0o100755
	ModeLink       = 0o120000
	ModeSubmodule  = 0o160000
)

// Kind returns the Mode constant that git uses for the mode: for a file, it checks only the
// owner's execute bit (old trees have 100664). Kind is 0 for a mode that git never wrote.
func (e Entry) Kind() uint32 {
	switch kind := e.Mode & 0o170000; kind {
	case ModeTree, ModeLink, ModeSubmodule:
		return kind
	case ModeFile &^ 0o777:
		if e.Mode&0o100 != 0 {
			return ModeExecutable
		}
		return ModeFile
	}
	return 0
}

// FileMode returns the mode as a Go mode. A submodule is a directory, as after a checkout; a
// mode that git never wrote is irregular.
func (e Entry) FileMode() fs.FileMode {
	switch e.Kind() {
	case ModeTree, ModeSubmodule:
		return fs.ModeDir | 0o755
	case ModeLink:
		return fs.ModeSymlink | 0o777
	case ModeExecutable:
		return 0o755
	case ModeFile:
		return 0o644
	}
	return fs.ModeIrregular
}

// ParseTree reads the contents of the tree object oid: entries of an octal mode, a
// space, a name, a NUL, and an id as long as oid. It rejects only malformed data: names and
// modes are for the caller to check.
func ParseTree(oid string, data []byte) ([]Entry, error) {
	idSize := len(oid) / 2
	malformed := func(why string) ([]Entry, error) {
		return nil, fmt.Errorf("cannot read tree %s: malformed tree: %s", oid, why)
	}
	entries := make([]Entry, 0, len(data)/(idSize+16))
	all, digits := string(data), hex.EncodeToString(data) // all names and ids are parts of these
	for at := 0; at < len(all); at += idSize {
		mode, rest, ok := strings.Cut(all[at:], " ")
		if !ok {
			return malformed("no mode")
		}
		bits, err := strconv.ParseUint(mode, 8, 32)
		if err != nil {
			return malformed("mode '" + text.Line(mode) + "'")
		}
		name, rest, ok := strings.Cut(rest, "\x00")
		if !ok || len(rest) < idSize {
			return malformed("cut short")
		}
		at = len(all) - len(rest)
		entries = append(entries, Entry{Name: name, Mode: uint32(bits), OID: digits[2*at : 2*(at+idSize)]})
	}
	return entries, nil
}
