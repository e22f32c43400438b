package workspace

import (
	"bytes"
	"fmt"
	"strconv"

	"quire/lib/git"
)

// trees are the contents of tree objects by their ids. A record has those of its
// workspace, so that git is asked only for what another commit has changed.
type trees map[string][]byte

// append appends the objects as their ids are made of them: "tree", the size, a NUL, and
// the contents.
func (t trees) append(text []byte) []byte {
	for _, data := range t {
		text = append(fmt.Appendf(text, "tree %d\x00", len(data)), data...)
	}
	return text
}

// size returns how many bytes append appends, or a few more.
func (t trees) size() int {
	size := 1
	for _, data := range t {
		size += len("tree 9223372036854775807\x00") + len(data)
	}
	return size
}

// parseTrees reads what append wrote, up to where that is damaged. The ids, which are like
// oid, it makes anew: what is there under an id is of that id, whoever wrote it.
func parseTrees(text []byte, oid string) trees {
	t := trees{}
	for {
		header, rest, whole := bytes.Cut(text, []byte{0})
		length, ok := bytes.CutPrefix(header, []byte("tree "))
		size, err := strconv.Atoi(string(length))
		if !whole || !ok || err != nil || size < 0 || size > len(rest) {
			return t
		}
		data := rest[:size:size]
		t[git.ObjectID(oid, "tree", data)] = data
		text = rest[size:]
	}
}
