package runlog

import (
	"bytes"
	"maps"
	"slices"
	"sort"
)

// Values shorter than MinSecret bytes are not redacted: they occur everywhere by chance, and
// replacing them would reveal them.
const MinSecret = 8

// A Redactor replaces secrets by their names. It is safe for concurrent use.
//
// Each occurrence of a form of a value, see forms, becomes "{{ name }}". Overlapping
// occurrences become one, with the name of the one that begins first, so that no part of any
// of them is left.
type Redactor struct {
	exact  finder // texts that occur as they are
	joined finder // base64 and hexadecimal digits, which may be broken into lines anywhere
}

// NewRedactor returns a redactor of secrets, a map of names to values. It ignores values
// shorter than MinSecret. If two secrets have the same value, or an encoding in common, the
// name that sorts first is used.
func NewRedactor(secrets map[string]string) *Redactor {
	r := &Redactor{}
	seen := map[form]bool{}
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		if len(secrets[name]) < MinSecret {
			continue
		}
		for f := range forms(secrets[name]) {
			if len(f.text) < MinSecret || seen[f] {
				continue
			}
			seen[f] = true
			n := needle{f.text, "{{ " + name + " }}"}
			if f.wraps {
				r.joined.needles = append(r.joined.needles, n)
			} else {
				r.exact.needles = append(r.exact.needles, n)
			}
		}
	}
	r.exact.index()
	r.joined.index()
	return r
}

// empty reports whether the redactor has no secrets.
func (r *Redactor) empty() bool { return len(r.exact.needles)+len(r.joined.needles) == 0 }

// String returns s with its secrets replaced.
func (r *Redactor) String(s string) string {
	if r.empty() || len(s) < MinSecret {
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
// Each position of the stream is decided once, when enough of the following bytes
// is known: whether a needle begins there, and which is the longest. So the result
// does not depend on how the stream is cut into pieces.
type scanner struct {
	r       *Redactor
	rest    []byte // not decided yet: it may be the beginning of a needle
	shown   int    // how many bytes of rest were written out early, by release
	covered int    // how many of the following bytes belong to a replaced needle

	lines joinedLines
	found []match
}

// feed appends to out the bytes that can be decided once p is known; final says that
// nothing follows.
func (s *scanner) feed(out *bytes.Buffer, p []byte, final bool) {
	if len(s.rest) > 0 {
		s.rest = append(s.rest, p...)
		p = s.rest
	}
	done := s.scan(out, p, final)
	s.rest = append(s.rest[:0], p[done:]...)
}

// release appends to out the complete lines in rest, if fewer than MinSecret of their bytes
// can belong to a secret. They stay in rest: if they turn out to be the beginning of a
// secret, its remaining bytes are still replaced.
func (s *scanner) release(out *bytes.Buffer) {
	end := bytes.LastIndexByte(s.rest, '\n') + 1
	if end <= s.shown || s.covered > 0 || len(s.rest)-bytes.Count(s.rest, []byte("\n")) >= MinSecret {
		return
	}
	out.Write(s.rest[s.shown:end])
	s.shown = end
}

// scan decides as much of p as it can, and returns how much that is.
func (s *scanner) scan(out *bytes.Buffer, p []byte, final bool) (done int) {
	s.found, done = s.r.exact.find(s.found[:0], p, final)
	if len(s.r.joined.needles) > 0 {
		exact := len(s.found)
		var open int
		s.lines.join(p)
		s.found, open = s.r.joined.find(s.found, s.lines.text, final)
		done = min(done, s.lines.position(open, len(p)))
		for i := range s.found[exact:] {
			m := &s.found[exact+i]
			m.start, m.end = s.lines.position(m.start, len(p)), s.lines.position(m.end-1, len(p))+1
		}
		slices.SortStableFunc(s.found, func(a, b match) int { return a.start - b.start })
	}
	at, end := s.covered, s.covered // p[:at] is written, or covered by a match that ends at end
	write := func(to int) {
		if from := max(at, s.shown); from < to {
			out.Write(p[from:to])
		}
		at = max(at, to)
	}
	for _, m := range s.found {
		if m.start >= done {
			break
		}
		if m.start >= end {
			write(m.start)
			out.WriteString(m.mark)
		}
		end = max(end, m.end)
		at = end
	}
	write(done)
	s.covered, s.shown = max(0, end-done), max(0, s.shown-done)
	return done
}

// A joinedLines is a text without its line ends.
type joinedLines struct {
	text   []byte
	breaks []lineBreak
}

// A lineBreak says how many bytes of line ends come before the byte at the offset at
// of the joined text.
type lineBreak struct{ at, removed int }

// join makes l the text p without its line ends, which are carriage returns and a
// newline. Carriage returns at the end of p may belong to one.
func (l *joinedLines) join(p []byte) {
	l.text, l.breaks = l.text[:0], l.breaks[:0]
	for removed := 0; ; {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			l.text = append(l.text, bytes.TrimRight(p, "\r")...)
			return
		}
		line := bytes.TrimRight(p[:i], "\r")
		l.text = append(l.text, line...)
		removed += i + 1 - len(line)
		l.breaks = append(l.breaks, lineBreak{len(l.text), removed})
		p = p[i+1:]
	}
}

// position returns the offset in the original text, which has size bytes, of the byte at
// offset i of the joined text.
func (l *joinedLines) position(i, size int) int {
	if i >= len(l.text) {
		return size
	}
	n := sort.Search(len(l.breaks), func(k int) bool { return l.breaks[k].at > i })
	if n == 0 {
		return i
	}
	return i + l.breaks[n-1].removed
}
