package runlog

import (
	"bytes"
	"fmt"
	"os"
	"time"
	"unicode/utf8"

	"quire/lib/file"
	"quire/lib/text"
	"quire/lib/unit"
)

// DefaultMax is how large the beginning of a log may get in bytes, unless the configuration
// says something else.
const DefaultMax = 256 << 20

// endSize is how much of the end of a log is kept in memory if the log cannot have all of
// the output, in bytes. A combined log reserves twice as much room on the disk, for the
// blocks and for what the file system needs to describe them: the end of a log says why its
// run failed, and is written even if the disk is full by then.
const endSize = 64 << 10

// An ending keeps the last endSize bytes of the output that is not written to a log. The rest
// is dropped now and then, so that a byte is not copied for each write.
type ending struct {
	text    []byte
	dropped int64 // bytes before text
}

// add adds output.
func (e *ending) add(p []byte) {
	if extra := len(p) - 2*endSize; extra > 0 {
		e.dropped += int64(len(e.text) + extra)
		e.text, p = e.text[:0], p[extra:]
	}
	e.text = append(e.text, p...)
	if len(e.text) >= 4*endSize {
		e.trim()
	}
}

// size returns how much output was added, in bytes.
func (e *ending) size() int64 { return e.dropped + int64(len(e.text)) }

// trim drops all but the last endSize bytes, and the rest of a line that would be cut. A
// line that is longer than endSize is cut between two characters.
func (e *ending) trim() {
	from := len(e.text) - endSize
	if from <= 0 {
		return
	}
	if i := bytes.IndexByte(e.text[from-1:], '\n'); i >= 0 && from+i < len(e.text) {
		from += i
	} else {
		for range utf8.UTFMax - 1 {
			if !utf8.RuneStart(e.text[from]) {
				from++
			}
		}
	}
	e.dropped += int64(from)
	e.text = append(e.text[:0], e.text[from:]...)
}

// The line that a log has after its beginning, if output is left out from there on. A log
// that ends with it was not completed.
const (
	leftOutBegin = "quire: this log has reached "
	leftOutEnd   = " (log-max): from here on output is left out, except the last 64 KiB, which follow at the end"
)

func leftOutLine(most uint64) string { return leftOutBegin + unit.FormatSize(most) + leftOutEnd }

// missingLine is the line between the beginning and the end of a log.
func missingLine(n int64) string {
	return fmt.Sprintf("quire: %d bytes of output are missing here (log-max)", n)
}

// LacksEnd reports whether a log that no process writes any more lacks the end of the output,
// because quire was killed while it had the end in memory.
func LacksEnd(log *os.File) bool {
	last, _, err := file.ReadEnd(log, 256)
	if err != nil {
		return false
	}
	last = last[bytes.LastIndexByte(bytes.TrimSuffix(last, []byte("\n")), '\n')+1:]
	return bytes.Contains(last, []byte(leftOutBegin)) && bytes.HasSuffix(last, []byte(leftOutEnd+"\n"))
}

// EndMissing is the line that readers show after a log if LacksEnd returns true.
const EndMissing = "quire: the end of this output is missing: quire was killed before it could write it"

// An endTime is the time of a part of the ending of a combined log.
type endTime struct {
	at   int64 // bytes of the ending before the part, dropped ones included
	time time.Time
}

// writeEnding writes the output in memory, after a line that says what is missing. If the
// disk is full, it uses the room that is reserved for it.
func (l *RunLog) writeEnding() error {
	if l.ending == nil {
		return nil
	}
	if l.reserve != nil {
		l.reserve.Close()
		l.reserve = nil
	}
	l.ending.trim()
	said := ""
	switch {
	case l.err != nil: // the write that failed may have cut a line
		said = fmt.Sprintf("\nquire: cannot write this log: %v; output is missing here\n", text.Cause(l.err))
	case l.ending.dropped > 0:
		said = missingLine(l.ending.dropped) + "\n"
	}
	if info, err := l.file.Stat(); err == nil {
		begin := info.Size() + int64(len(said))
		for _, t := range l.endTimes {
			l.writeTime(begin+max(0, t.at-l.ending.dropped), t.time)
		}
	}
	_, err := l.file.Write(append([]byte(said), l.ending.text...))
	return err
}
