package workspace

import (
	"errors"
	"strings"

	"quire/lib/git"
)

// checkEntry refuses an entry that git never writes into a tree, or refuses to check out.
// It refuses the spellings of ".git" of all file systems, like core.protectHFS and
// core.protectNTFS: a workspace may be on any of them.
func checkEntry(e git.Entry) error {
	kind := e.Kind()
	switch {
	case kind == 0:
		return errors.New("git does not use its mode")
	case e.Name == "", e.Name == ".", e.Name == "..", strings.Contains(e.Name, "/"):
		return errors.New("not a valid file name")
	case isDotGit(e.Name):
		return errors.New("it is a spelling of .git")
	case kind == git.ModeLink && isSpelling(e.Name, ".gitmodules", "gitmod~1"):
		// Git reads this file itself, and would follow the link out of the tree.
		return errors.New("it is a symbolic link")
	}
	return nil
}

// isDotGit reports whether name, or a part of it between backslashes, which separate names
// on NTFS, is a spelling of ".git".
func isDotGit(name string) bool {
	// Most names begin with another ASCII character and are not checked further.
	if c := name[0]; c < 0x80 && c != '.' && c != 'g' && c != 'G' && !strings.Contains(name, `\`) {
		return false
	}
	for part := range strings.SplitSeq(name, `\`) {
		if isSpelling(part, ".git", "git~1") {
			return true
		}
	}
	return false
}

// isSpelling reports whether name opens the file want on some file system. Many ignore
// case. HFS+ ignores some characters. NTFS ignores dots and spaces at the end, ignores a
// colon and the text after it, and gives a file a second, short name.
func isSpelling(name, want, short string) bool {
	name = strings.Map(func(r rune) rune {
		if ignoredByHFS(r) {
			return -1
		}
		return r
	}, name)
	name, _, _ = strings.Cut(name, ":")
	name = strings.TrimRight(name, ". ")
	return strings.EqualFold(name, want) || strings.EqualFold(name, short)
}

// ignoredByHFS reports whether HFS+ ignores r in a name: Apple's Technical Note TN1150
// lists such characters under "Unicode Subtleties".
func ignoredByHFS(r rune) bool {
	return r >= 0x200c && r <= 0x200f || r >= 0x202a && r <= 0x202e ||
		r >= 0x206a && r <= 0x206f || r == 0xfeff
}
