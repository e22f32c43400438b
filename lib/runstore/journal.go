package runstore

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"os"
	"slices"
	"strings"

	"quire/lib/file"
)

// addToJournal adds the lines of runs that ended to the journal, which the caller has locked.
// On error the journal is unchanged.
func addToJournal(journal *os.File, ended []Record) error {
	last, size, err := lastLine(journal)
	if err != nil {
		return err
	}
	var lines strings.Builder
	newest := string(newestOf(last))
	for _, rec := range ended {
		lines.WriteString(journalLine(rec, newest))
		newest = max(newest, rec.ID)
	}
	return appendLine(journal, size, lines.String())
}

// Fields that may end a journal line, in this order.
const (
	skippedMark = "skipped"    // of a Skipped run
	gateMark    = "gate"       // of a Gate run
	testedMark  = "tested-by=" // of a run with TestedBy, followed by that id
)

// marks returns the fields that end the run's line in the journal.
func (r Record) marks() string {
	var marks string
	if r.Skipped {
		marks += "\t" + skippedMark
	}
	if r.Gate {
		marks += "\t" + gateMark
	}
	if r.TestedBy != "" {
		marks += "\t" + testedMark + r.TestedBy
	}
	return marks
}

// unmarked returns a line without the marks that end it.
func unmarked(line []byte) []byte {
	for {
		at := bytes.LastIndexByte(line, '\t')
		switch last := line[at+1:]; {
		case at < 0:
			return line
		case string(last) == skippedMark, string(last) == gateMark, bytes.HasPrefix(last, []byte(testedMark)):
			line = line[:at]
		default:
			return line
		}
	}
}

// journalLine returns the line for rec, with its newline. newest is the greatest id of
// the lines before it, "" for none.
func journalLine(rec Record, newest string) string {
	mark := newest
	if rec.ID > newest {
		mark = "-"
	}
	return rec.Line() + "\t" + mark + rec.marks() + "\n"
}

// newestOf returns the greatest id in the journal up to and including line, nil if line
// has none.
func newestOf(line []byte) []byte {
	line = unmarked(line)
	mark := line[bytes.LastIndexByte(line, '\t')+1:]
	if len(mark) == idLength {
		return mark
	}
	return idOf(line)
}

// idOf returns the id at the beginning of a journal line, nil if there is none.
func idOf(line []byte) []byte {
	if len(line) <= idLength || line[idLength] != '\t' {
		return nil
	}
	return line[:idLength]
}

// refOf returns the repository and the ref in a journal line.
func refOf(line []byte) []byte {
	tab := []byte("\t")
	_, line, _ = bytes.Cut(line, tab) // the id
	_, line, _ = bytes.Cut(line, tab) // the state
	repo, rest, _ := bytes.Cut(line, tab)
	ref, _, _ := bytes.Cut(rest, tab)
	return line[:min(len(line), len(repo)+1+len(ref))]
}

// lastLine returns the last complete line of f without its newline, and the end of the
// complete lines.
func lastLine(f *os.File) ([]byte, int64, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	for line, err := range backward(f, info.Size()) {
		return line.text, line.end, err
	}
	return nil, 0, nil
}

// A line is one complete line of a file, without its newline.
type line struct {
	text       []byte // valid until the next line is read
	start, end int64  // in the file; the newline is before end
}

// chunk is the most that is read at once.
const chunk = 64 << 10

// backward returns the complete lines among the first size bytes of f, last one first.
func backward(f io.ReaderAt, size int64) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		// buf holds the bytes of the file from pos on, at the beginning of space. Once a
		// newline has been seen, buf ends with one.
		var buf, space []byte
		pos, seen := size, false
		// Most callers want the last line or a screenful; touching new memory takes
		// longer than reading.
		step := int64(4 << 10)
		for pos > 0 {
			n := min(step, pos)
			step = min(2*step, chunk)
			if cap(space) < int(n)+len(buf) {
				space = make([]byte, 2*int(n)+len(buf))
			}
			copy(space[n:], buf)
			buf = space[:int(n)+len(buf)]
			if _, err := f.ReadAt(buf[:n], pos-n); err != nil {
				if errors.Is(err, io.EOF) { // the file was cut since
					size = pos - n
					pos, buf, seen = size, nil, false
					continue
				}
				yield(line{}, err)
				return
			}
			pos -= n
			if !seen {
				buf = completeLines(buf)
				seen = len(buf) > 0
			}
			for len(buf) > 0 {
				i := bytes.LastIndexByte(buf[:len(buf)-1], '\n')
				if i < 0 && pos > 0 {
					break
				}
				l := line{buf[i+1 : len(buf)-1], pos + int64(i+1), pos + int64(len(buf))}
				if !yield(l, nil) {
					return
				}
				buf = buf[:i+1]
			}
		}
	}
}

// forward returns the complete lines among the first size bytes of f, in order.
func forward(f io.ReaderAt, size int64) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		buf := make([]byte, 0, 2*chunk)
		for pos := int64(0); pos < size; {
			n := min(chunk, size-pos)
			have := len(buf)
			buf = slices.Grow(buf, int(n))[:have+int(n)]
			got, err := f.ReadAt(buf[have:], pos)
			buf = buf[:have+got]
			if err != nil && !errors.Is(err, io.EOF) {
				yield(line{}, err)
				return
			}
			start := pos - int64(have)
			pos += int64(got)
			rest := buf
			for {
				i := bytes.IndexByte(rest, '\n')
				if i < 0 {
					break
				}
				end := start + int64(i+1)
				if !yield(line{rest[:i], start, end}, nil) {
					return
				}
				rest, start = rest[i+1:], end
			}
			buf = append(buf[:0], rest...)
			if got == 0 {
				return
			}
		}
	}
}

// journalBackward returns the complete lines of the journal, last one first.
func (s *Store) journalBackward() iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		f, size, err := s.openJournal()
		if err != nil {
			yield(line{}, err)
			return
		}
		defer f.Close()
		backward(f, size)(yield)
	}
}

// openJournal opens the journal for reading, and returns its current length.
func (s *Store) openJournal() (*os.File, int64, error) {
	f, err := file.Open(s.path("journal"))
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// findInJournal returns the record of the run id, or ErrNotFound. It searches from the end:
// people mostly ask for recent runs.
func (s *Store) findInJournal(id string) (Record, error) {
	for l, err := range s.journalBackward() {
		if err != nil {
			return Record{}, err
		}
		if string(idOf(l.text)) == id {
			return parseRecord(string(l.text))
		}
	}
	return Record{}, ErrNotFound
}
