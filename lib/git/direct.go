package git

import "quire/lib/git/direct"

// An Entry is one line of a tree object.
type Entry = direct.Entry

// Info describes an object.
type Info = direct.Info

// ErrMissing is the error for an object that does not exist or does not have the requested
// type. It is wrapped in an error with the object's name.
var ErrMissing = direct.ErrMissing

// Modes of an Entry, see git-fast-import(1) under "filemodify".
const (
	ModeTree       = direct.ModeTree
	ModeFile       = direct.ModeFile
	ModeExecutable = direct.ModeExecutable
	ModeLink       = direct.ModeLink
	ModeSubmodule  = direct.ModeSubmodule
)

// IsID reports whether s can be a full object id.
func IsID(s string) bool { return direct.IsID(s) }

// ParseTree is direct.ParseTree.
func ParseTree(oid string, data []byte) ([]Entry, error) { return direct.ParseTree(oid, data) }
