package git

import (
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
)

// An Entry is one line of a tree object.
type Entry struct {
	Name string // any bytes but NUL: a tree that somebody crafted has what they like
	Mode uint32 // as git writes it: one of the Mode constants, or whatever a crafted tree has
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

// Kind returns which of the Mode constants git takes the mode for: of a file it
// looks at the owner's execute bit alone (old trees have 100664). It is 0 for a
// mode that git never wrote.
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

// FileMode is the mode as Go has it. What git never wrote is irregular; a
// submodule is what a checkout leaves of it, an empty directory.
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
// space, a name, a NUL, and an id as long as oid. It refuses what has not that form
// and nothing else: names and modes are the caller's to judge.
func ParseTree(oid string, data []byte) ([]Entry, error) {
	idSize := len(oid) / 2
	malformed := func(what string) ([]Entry, error) {
		return nil, fmt.Errorf("cannot read tree %s: malformed tree: %s", oid, what)
	}
	entries := make([]Entry, 0, len(data)/(idSize+16))
	text, digits := string(data), hex.EncodeToString(data) // all names and ids are parts of these
	for at := 0; at < len(text); at += idSize {
		mode, rest, ok := strings.Cut(text[at:], " ")
		if !ok {
			return malformed("no mode")
		}
		bits, err := strconv.ParseUint(mode, 8, 32)
		if err != nil {
			return malformed("mode " + quoted(mode))
		}
		name, rest, ok := strings.Cut(rest, "\x00")
		if !ok || len(rest) < idSize {
			return malformed("cut short")
		}
		at = len(text) - len(rest)
		entries = append(entries, Entry{Name: name, Mode: uint32(bits), OID: digits[2*at : 2*(at+idSize)]})
	}
	return entries, nil
}

// Trees reads the tree objects of oids and hands each one's contents to each, in
// order, for ParseTree. The questions are under way at once.
func (o *Objects) Trees(oids []string, each func(i int, data []byte) error) error {
	return o.ReadAll(oids, func(i int, in Info, body io.Reader) error {
		if in.Type != "tree" {
			return fmt.Errorf("cannot read tree %s: it is a %s", in.OID, in.Type)
		}
		data := make([]byte, in.Size)
		if _, err := io.ReadFull(body, data); err != nil {
			return fmt.Errorf("cannot read tree %s: %w", in.OID, err)
		}
		if ObjectID(in.OID, in.Type, data) != in.OID { // git itself does not look
			return fmt.Errorf("cannot read tree %s: the object is damaged", in.OID)
		}
		return each(i, data)
	})
}
