package runlog

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"quire/lib/text"
)

// TimeFormat is the format of times, in UTC: RFC 3339 with nine digits after the second, so
// that all times have the same length and sort as text.
const TimeFormat = "2006-01-02T15:04:05.000000000Z"

// A Log is the log file of one command, in the format of quire-events(5), which is also the
// format of Kubernetes' container runtime interface. Each line of the file is an Entry.
type Log struct {
	path string
	most uint64 // bytes of the beginning; 0: no bound

	mu      sync.Mutex
	file    *os.File // nil until there is something to write
	streams []*Stream
	size    uint64  // bytes of the file
	ending  *ending // the entries after the beginning; nil until then
	after   int64   // bytes of output in these entries, dropped ones included
	err     error   // the first failure to write
}

// NewLog returns a log with the file path, which must not exist. The first entry creates the
// file and its directory, so a command that prints nothing leaves no file. If the file gets
// longer than most bytes, output is left out, and an entry says so; Close then writes the
// end of the output. 0 is no bound.
func NewLog(path string, most uint64) *Log { return &Log{path: path, most: most} }

// CreateLog is NewLog, but the file exists at once, for readers that follow it.
func CreateLog(path string, most uint64) (*Log, error) {
	l := NewLog(path, most)
	if err := l.create(); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *Log) create() (err error) {
	if err := os.MkdirAll(filepath.Dir(l.path), 0o700); err != nil {
		return err
	}
	l.file, err = os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	return err
}

// Stream returns a writer for the output of the command on the stream name, "stdout" or
// "stderr". Different goroutines may write to the streams of a log. A write never fails: a
// full disk that only affects the log must not stop the command. Close returns the error.
func (l *Log) Stream(name string) *Stream {
	s := &Stream{log: l, name: name}
	s.lines.Emit = s.addEntry
	l.streams = append(l.streams, s)
	return s
}

// Close writes the unterminated last lines, and the end of the output if some was left out.
// Then it closes the file. Its error is the first failure of any write.
func (l *Log) Close() error {
	for _, s := range l.streams {
		s.Flush()
	}
	if l.ending != nil && l.err == nil {
		l.writeEnding()
	}
	if l.file != nil {
		if err := l.file.Close(); l.err == nil {
			l.err = err
		}
	}
	if l.err != nil {
		return fmt.Errorf("cannot write log '%s': %w", l.path, text.Cause(l.err))
	}
	return nil
}

// A Stream is a stream of a log. It is not safe for concurrent use.
type Stream struct {
	log   *Log
	name  string
	lines Lines
	stamp []byte       // the time of the current write
	out   bytes.Buffer // the entries of the current write
	open  bool         // its last entry in the file does not end its line
}

// Write appends the lines of p as entries with the time of this call, in one write to the
// file.
func (s *Stream) Write(p []byte) (int, error) {
	s.stamp = time.Now().UTC().AppendFormat(s.stamp[:0], TimeFormat)
	s.lines.Write(p)
	s.pass()
	return len(p), nil
}

// Flush writes the beginning of a line that has no newline yet, as an entry that does not
// end its line. The rest of the line becomes another entry.
func (s *Stream) Flush() {
	s.stamp = time.Now().UTC().AppendFormat(s.stamp[:0], TimeFormat)
	s.lines.Flush()
	s.pass()
}

// entryHead is the length in bytes of an entry before its text.
const entryHead = len(TimeFormat) + len(" stdout F ")

func (s *Stream) addEntry(text []byte, full bool) {
	appendEntry(&s.out, s.stamp, s.name, text, full)
}

func appendEntry(to *bytes.Buffer, stamp []byte, stream string, text []byte, full bool) {
	to.Write(stamp)
	to.WriteByte(' ')
	to.WriteString(stream)
	if full {
		to.WriteString(" F ")
	} else {
		to.WriteString(" P ")
	}
	to.Write(text)
	to.WriteByte('\n')
}

// isPart reports whether an entry does not end its line.
func isPart(entry []byte) bool { return entry[entryHead-2] == 'P' }

// outputSize returns how many bytes of output are in entries.
func outputSize(entries []byte) (n int64) {
	for entry := range bytes.Lines(entries) {
		n += int64(len(entry) - entryHead)
		if isPart(entry) {
			n-- // no newline was printed
		}
	}
	return n
}

func (s *Stream) pass() {
	if s.out.Len() == 0 {
		return
	}
	defer s.out.Reset()
	s.log.write(s, s.out.Bytes())
}

// write writes entries of a stream, or adds them to the ending if the file has its beginning.
func (l *Log) write(s *Stream, entries []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ending == nil && l.most > 0 && l.size+uint64(len(entries)) > l.most {
		fits := bytes.LastIndexByte(entries[:l.most-l.size], '\n') + 1
		l.append(s, entries[:fits])
		l.leaveOut(s.stamp)
		entries = entries[fits:]
	}
	if l.ending != nil {
		l.ending.add(entries)
		l.after += outputSize(entries)
		return
	}
	l.append(s, entries)
}

// append writes entries of a stream to the file. After a failure it writes nothing, because
// the text after an incomplete entry would not be an entry.
func (l *Log) append(s *Stream, entries []byte) {
	if l.err == nil && l.file == nil {
		l.err = l.create()
	}
	if l.err != nil || len(entries) == 0 {
		return
	}
	_, l.err = l.file.Write(entries)
	l.size += uint64(len(entries))
	last := entries[bytes.LastIndexByte(entries[:len(entries)-1], '\n')+1:]
	s.open = isPart(last)
}

// leaveOut ends the beginning of the log, and the lines that are incomplete in it.
func (l *Log) leaveOut(stamp []byte) {
	l.ending = new(ending)
	var b bytes.Buffer
	for _, s := range l.streams {
		if s.open {
			appendEntry(&b, stamp, s.name, nil, true)
		}
	}
	appendEntry(&b, stamp, "stderr", []byte(leftOutLine(l.most)), true)
	if l.err == nil {
		_, l.err = l.file.Write(b.Bytes())
	}
}

// writeEnding writes the entries in memory, after one that says how much is missing.
func (l *Log) writeEnding() {
	l.ending.trim()
	var b bytes.Buffer
	if l.ending.dropped > 0 {
		stamp := l.ending.text[:len(TimeFormat)] // so that the times of a log ascend
		appendEntry(&b, stamp, "stderr", []byte(missingLine(l.after-outputSize(l.ending.text))), true)
	}
	b.Write(l.ending.text)
	_, l.err = l.file.Write(b.Bytes())
}
