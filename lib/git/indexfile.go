package git

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"quire/lib/git/direct"
)

// formatIndex returns an index file of entries, at least one, that knows nothing of the
// files themselves, as git-update-index(1) makes it of --index-info; see
// gitformat-index(5), version 2. To have git make one takes as long as all that a
// workspace asks of it.
func formatIndex(entries []IndexEntry) ([]byte, error) {
	const (
		stat    = 6 * 4 // bytes of times, device and inode, before the mode
		owner   = 3 * 4 // of user, group and size, after it
		longest = 0xfff // what the flags hold of a path's length
		align   = 8     // entries, with one NUL at least behind the path
		typical = 128   // bytes of an entry
	)
	entries = slices.SortedFunc(slices.Values(entries), func(a, b IndexEntry) int { return strings.Compare(a.Path, b.Path) })
	b := make([]byte, 0, typical*len(entries))
	b = append(b, "DIRC"...)
	b = binary.BigEndian.AppendUint32(b, 2)
	b = binary.BigEndian.AppendUint32(b, uint32(len(entries)))
	for _, e := range entries {
		oid, err := hex.DecodeString(e.OID)
		if err != nil {
			return nil, fmt.Errorf("cannot index %s: its id is %s", quoted(e.Path), quoted(e.OID))
		}
		start := len(b)
		b = append(b, make([]byte, stat)...)
		b = binary.BigEndian.AppendUint32(b, e.Mode)
		b = append(b, make([]byte, owner)...)
		b = append(b, oid...)
		b = binary.BigEndian.AppendUint16(b, uint16(min(len(e.Path), longest)))
		b = append(b, e.Path...)
		b = append(b, make([]byte, align-(len(b)-start)%align)...)
	}
	h := direct.NewHash(entries[0].OID)
	h.Write(b)
	return h.Sum(b), nil
}
