package runlog

import (
	"encoding/binary"
	"slices"
	"sort"
	"strings"
)

// A finder finds texts of at least MinSecret bytes, all in one pass.
type finder struct {
	needles []needle                 // sorted by text
	byHead  map[uint64][]int         // the first MinSecret bytes of a needle -> needles, longest first
	grams   *[gramHashes / 64]uint64 // a bit for each gram that a needle has among its first bytes
}

// A needle is a text to be replaced by mark. None is shorter than MinSecret.
type needle struct {
	text string
	mark string
}

// A match is an occurrence of a needle in a text.
type match struct {
	start, end int
	mark       string
}

// gramSize is the length of the pieces in the filter; window is how many start positions of
// a needle one lookup in the filter excludes.
const (
	gramSize   = 4
	window     = MinSecret - gramSize + 1
	gramHashes = 1 << 16
)

// index adds the needles to the tables.
func (f *finder) index() {
	if len(f.needles) == 0 {
		return
	}
	f.byHead, f.grams = map[uint64][]int{}, new([gramHashes / 64]uint64)
	slices.SortFunc(f.needles, func(a, b needle) int { return strings.Compare(a.text, b.text) })
	for i, n := range f.needles {
		text := []byte(n.text)
		head := binary.LittleEndian.Uint64(text)
		f.byHead[head] = append(f.byHead[head], i)
		for at := range window {
			h := gramHash(text[at:])
			f.grams[h/64] |= 1 << (h % 64)
		}
	}
	for _, list := range f.byHead {
		slices.SortFunc(list, func(a, b int) int {
			return len(f.needles[b].text) - len(f.needles[a].text)
		})
	}
}

// gramHash returns a hash of the first gramSize bytes of b, below gramHashes.
func gramHash(b []byte) uint32 {
	return binary.LittleEndian.Uint32(b) * 0x9e3779b1 >> 16
}

// find appends to found the longest needle at each position of p, in order. It returns the
// first position that cannot be decided before more of the text is known; final says that p
// is all of it.
func (f *finder) find(found []match, p []byte, final bool) ([]match, int) {
	if len(f.needles) == 0 {
		return found, len(p)
	}
	pos := 0
	for pos < len(p) {
		if len(p)-pos >= MinSecret && !f.mayStart(p[pos:]) {
			pos += window
			continue
		}
		n, open := f.match(p[pos:], final)
		if open {
			break
		}
		if n >= 0 {
			found = append(found, match{pos, pos + len(f.needles[n].text), f.needles[n].mark})
		}
		pos++
	}
	return found, pos
}

// mayStart reports whether a needle may begin at one of the first window bytes of p, which
// has at least MinSecret bytes. It looks up the last gram that all those needles would
// share.
func (f *finder) mayStart(p []byte) bool {
	h := gramHash(p[window-1:])
	return f.grams[h/64]&(1<<(h%64)) != 0
}

// match returns the longest needle that p begins with, or -1. If more of the text
// follows, open says that p is too short to tell.
func (f *finder) match(p []byte, final bool) (n int, open bool) {
	if len(p) < MinSecret {
		return -1, !final && f.beginsNeedle(p)
	}
	n = -1
	for _, i := range f.byHead[binary.LittleEndian.Uint64(p)] {
		text := f.needles[i].text
		switch {
		case len(text) <= len(p):
			if n < 0 && string(p[:len(text)]) == text {
				n = i
			}
		case !final && text[:len(p)] == string(p):
			return -1, true
		}
	}
	return n, false
}

// beginsNeedle reports whether some needle begins with p.
func (f *finder) beginsNeedle(p []byte) bool {
	i := sort.Search(len(f.needles), func(i int) bool { return f.needles[i].text >= string(p) })
	return i < len(f.needles) && strings.HasPrefix(f.needles[i].text, string(p))
}
