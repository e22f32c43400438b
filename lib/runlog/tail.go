package runlog

import (
	"bytes"
	"os"

	"quire/lib/file"
	"quire/lib/text"
)

// tailBytes is how much of the end of a log Tail reads.
const tailBytes = 64 << 10

// Tail returns the last lines, most at most, of the log of a command, whose path name is
// relative to the directory of the run. Parts of a line are joined, and each line is as a
// terminal would show it.
func Tail(dir, name string, most int) ([]string, error) {
	f, err := Open(dir, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, all, err := file.ReadEnd(f, tailBytes)
	if err != nil {
		return nil, err
	}
	if !all {
		_, data, _ = bytes.Cut(data, []byte("\n")) // the rest of an entry
	}
	var lines []string
	parts := map[string]string{} // the beginnings of lines, by stream
	for line := range bytes.Lines(data) {
		e, ok := ParseEntry(line)
		if !ok {
			continue
		}
		parts[e.Stream] += string(e.Text)
		if e.Full {
			lines = append(lines, parts[e.Stream])
			delete(parts, e.Stream)
		}
	}
	for _, stream := range []string{"stdout", "stderr"} {
		if parts[stream] != "" {
			lines = append(lines, parts[stream])
		}
	}
	lines = lines[max(0, len(lines)-most):]
	for i, line := range lines {
		lines[i] = text.Overwritten(line)
	}
	return lines, nil
}

// LastLine returns the last line of the log of a run, whose path is given: the message of
// quire's own command that failed. It is "" if the log cannot be read.
func LastLine(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	data, _, err := file.ReadEnd(f, maxLastLine)
	if err != nil {
		return ""
	}
	data = bytes.TrimRight(data, "\n")
	data = data[bytes.LastIndexByte(data, '\n')+1:]
	if bytes.HasPrefix(data, []byte("quire: ")) { // the driver's: the command printed nothing
		return ""
	}
	return text.Line(string(data))
}

// maxLastLine is how much of a line LastLine returns, in bytes.
const maxLastLine = 2000

// An Entry is a line of a command's log: TIME STREAM F|P TEXT.
type Entry struct {
	Time   string // in TimeFormat
	Stream string // "stdout" or "stderr"
	Text   []byte // a part of the line that ParseEntry got
	Full   bool   // the text ends its line (F); if not (P), the stream's next entry continues it
}

// ParseEntry parses a line of a command's log, and reports whether it has the form of an
// entry. The time and the stream may still be wrong.
func ParseEntry(line []byte) (e Entry, ok bool) {
	fields := bytes.SplitN(bytes.TrimSuffix(line, []byte("\n")), []byte(" "), 4)
	if len(fields) < 4 {
		return e, false
	}
	return Entry{string(fields[0]), string(fields[1]), fields[3], string(fields[2]) != "P"}, true
}
