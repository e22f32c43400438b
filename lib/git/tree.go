package git

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"strconv"
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

// FileMode is the mode as Go has it. What git would not write is irregular.
func (e Entry) FileMode() fs.FileMode {
	switch e.Mode & 0o170000 {
	case ModeTree:
		return fs.ModeDir | 0o755
	case ModeLink:
		return fs.ModeSymlink | 0o777
	case ModeFile &^ 0o777:
		if e.Mode&0o100 != 0 { // git looks at this bit alone
			return 0o755
		}
		return 0o644
	case ModeSubmodule:
		return fs.ModeDir | 0o755 // as a checkout leaves it: an empty directory
	}
	return fs.ModeIrregular
}

// ParseTree reads the contents of a tree object: entries of an octal mode, a
// space, a name, a NUL, and an id of idSize bytes (20 of SHA-1, 32 of SHA-256).
// It refuses what has not that form and nothing else: names and modes are the
// caller's to judge.
func ParseTree(data []byte, idSize int) ([]Entry, error) {
	entries := make([]Entry, 0, len(data)/(idSize+16))
	for len(data) > 0 {
		mode, rest, ok := bytes.Cut(data, []byte{' '})
		if !ok {
			return nil, fmt.Errorf("malformed tree: no mode")
		}
		bits, err := strconv.ParseUint(string(mode), 8, 32)
		if err != nil {
			return nil, fmt.Errorf("malformed tree: mode %s", quoted(string(mode)))
		}
		name, rest, ok := bytes.Cut(rest, []byte{0})
		if !ok || len(rest) < idSize {
			return nil, fmt.Errorf("malformed tree: cut short")
		}
		entries = append(entries, Entry{
			Name: string(name),
			Mode: uint32(bits),
			OID:  fmt.Sprintf("%x", rest[:idSize]),
		})
		data = rest[idSize:]
	}
	return entries, nil
}

// Trees reads the tree objects of oids and hands each one's entries to each, in
// order. The questions are under way at once.
func (o *Objects) Trees(oids []string, each func(i int, entries []Entry) error) error {
	return o.ReadAll(oids, func(i int, in Info, body io.Reader) error {
		if in.Type != "tree" {
			return fmt.Errorf("cannot read tree %s: it is a %s", in.OID, in.Type)
		}
		data := make([]byte, in.Size)
		if _, err := io.ReadFull(body, data); err != nil {
			return err
		}
		entries, err := ParseTree(data, len(in.OID)/2)
		if err != nil {
			return fmt.Errorf("cannot read tree %s: %w", in.OID, err)
		}
		return each(i, entries)
	})
}
