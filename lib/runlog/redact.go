package runlog

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"
	"sort"
	"strings"
)

// MinSecret is the length in bytes below which a value is not redacted: short
// values occur everywhere by chance, and replacing them would tell where.
const MinSecret = 8

// A Redactor replaces secrets by their names. It is safe for concurrent use.
//
// Each occurrence of a value, of each line of it, and of the encodings of either
// that forms lists, becomes "{{ name }}". Occurrences that overlap become one,
// under the name of the one that begins first, so that no part of any of them
// is left.
type Redactor struct {
	needles []needle                 // sorted by text
	byHead  map[uint64][]int         // the first MinSecret bytes of a needle -> needles, longest first
	grams   *[gramHashes / 64]uint64 // a bit for each gram that a needle has among its first bytes
}

// A needle is a text to be replaced by mark. None is shorter than MinSecret.
type needle struct {
	text string
	mark string
}

// gramSize is the length of the pieces that the filter knows; window is how many
// starts of a needle one look at the filter rules out.
const (
	gramSize   = 4
	window     = MinSecret - gramSize + 1
	gramHashes = 1 << 16
)

// NewRedactor returns a redactor of secrets, a map of names to values. Values
// shorter than MinSecret are passed over. Where two have the same value, or an
// encoding in common, the first by name gives its name.
func NewRedactor(secrets map[string]string) *Redactor {
	r := &Redactor{byHead: map[uint64][]int{}, grams: new([gramHashes / 64]uint64)}
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		if len(secrets[name]) < MinSecret {
			continue
		}
		for form := range forms(secrets[name]) {
			if len(form) >= MinSecret && !seen[form] {
				seen[form] = true
				r.needles = append(r.needles, needle{form, "{{ " + name + " }}"})
			}
		}
	}
	slices.SortFunc(r.needles, func(a, b needle) int { return strings.Compare(a.text, b.text) })
	for i, n := range r.needles {
		r.index(i, []byte(n.text))
	}
	for _, list := range r.byHead {
		slices.SortFunc(list, func(a, b int) int {
			return len(r.needles[b].text) - len(r.needles[a].text)
		})
	}
	return r
}

// index makes needle i with its text known to the table and to the filter.
func (r *Redactor) index(i int, text []byte) {
	head := binary.LittleEndian.Uint64(text)
	r.byHead[head] = append(r.byHead[head], i)
	for at := range window {
		h := gramHash(text[at:])
		r.grams[h/64] |= 1 << (h % 64)
	}
}

// gramHash returns a hash of the first gramSize bytes of b, below gramHashes.
func gramHash(b []byte) uint32 {
	return binary.LittleEndian.Uint32(b) * 0x9e3779b1 >> 16
}

// String returns s with its secrets replaced.
func (r *Redactor) String(s string) string {
	if len(r.needles) == 0 || len(s) < MinSecret {
		return s
	}
	var out bytes.Buffer
	scan := scanner{r: r}
	scan.feed(&out, []byte(s), true)
	return out.String()
}

// Strings returns a copy of list with the secrets in each string replaced.
func (r *Redactor) Strings(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = r.String(s)
	}
	return out
}

// A scanner redacts one stream of bytes.
//
// Each position of the stream is decided once, when enough of what follows is
// known: whether a needle begins there, and which is the longest. So the result
// does not depend on how the stream is cut into pieces.
type scanner struct {
	r       *Redactor
	rest    []byte // what is not decided yet: the beginning of a needle, perhaps
	covered int    // how many of the bytes that follow belong to a replaced needle
}

// feed appends to out what can be decided once p is known; final says that
// nothing follows.
func (s *scanner) feed(out *bytes.Buffer, p []byte, final bool) {
	if len(s.rest) > 0 {
		s.rest = append(s.rest, p...)
		p = s.rest
	}
	done := s.scan(out, p, final)
	s.rest = append(s.rest[:0], p[done:]...)
}

// scan decides as much of p as it can, and returns how much that is.
func (s *scanner) scan(out *bytes.Buffer, p []byte, final bool) int {
	pos, kept := 0, 0 // p[kept:pos] is decided, and plain but for what is covered
	flush := func() {
		if skip := min(s.covered, pos-kept); skip > 0 {
			s.covered -= skip
			kept += skip
		}
		out.Write(p[kept:pos])
		kept = pos
	}
	for pos < len(p) {
		if len(p)-pos >= MinSecret && !s.r.mayStart(p[pos:]) {
			pos += window
			continue
		}
		n, open := s.r.match(p[pos:], final)
		if open {
			break
		}
		if n >= 0 {
			flush()
			if s.covered == 0 {
				out.WriteString(s.r.needles[n].mark)
			}
			s.covered = max(s.covered, len(s.r.needles[n].text))
		}
		pos++
	}
	flush()
	return pos
}

// mayStart reports whether a needle may begin at one of the first window bytes
// of p, which holds at least MinSecret. It looks at the last gram that all those
// needles would share.
func (r *Redactor) mayStart(p []byte) bool {
	h := gramHash(p[window-1:])
	return r.grams[h/64]&(1<<(h%64)) != 0
}

// match returns the longest needle that p begins with, or -1. With more to come,
// open says that p is too short to tell.
func (r *Redactor) match(p []byte, final bool) (n int, open bool) {
	if len(p) < MinSecret {
		return -1, !final && r.beginsNeedle(p)
	}
	n = -1
	for _, i := range r.byHead[binary.LittleEndian.Uint64(p)] {
		text := r.needles[i].text
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
func (r *Redactor) beginsNeedle(p []byte) bool {
	i := sort.Search(len(r.needles), func(i int) bool { return r.needles[i].text >= string(p) })
	return i < len(r.needles) && strings.HasPrefix(r.needles[i].text, string(p))
}
